// Configuration files and users files, as a careless hand leaves them: problems or a configuration, never both or
// neither, each problem in one line; what is printed of a configuration loads and prints the same again; and routes,
// authentication rules and policies made of it answer for any client. An input is the configuration, the users file and
// the client, with record separators (0x1e) between; the client is its database, user, application_name and host name,
// in lines.
#include "fuzz.hpp"
#include "unit/config/folder.hpp"

#include <pgsluice/auth/rules.hpp>
#include <pgsluice/config/load.hpp>
#include <pgsluice/config/print.hpp>
#include <pgsluice/policy/engine.hpp>
#include <pgsluice/routing/table.hpp>

using namespace pgsluice;

namespace {

void check_lines(const std::vector<config::Problem>& problems) {
    for (const config::Problem& problem : problems) {
        PGSLUICE_CHECK(problem.line >= 1 && problem.column >= 1 && !problem.text.empty());
        for (const char c : problem.to_string()) PGSLUICE_CHECK(static_cast<unsigned char>(c) >= ' ' && c != '\x7f');
    }
}

void check_client(const config::Config& config, ByteView client) {
    const std::string_view database = fuzz::part(client, '\n'), user = fuzz::part(client, '\n'),
                           application_name = fuzz::part(client, '\n'), host_name = fuzz::part(client, '\n');
    for (const Address& address : {Address{}, *Address::parse("10.1.2.3"), *Address::parse("2001:db8::1")}) {
        const auth::LoginFacts facts{.address = address, .encrypted = true, .database = database, .user = user};
        if (const config::AuthRule* rule = auth::match(config.auth.rules, facts)) {
            static_cast<void>(auth::maps_to_user(*rule, host_name, user));
        }
        const routing::Table table(config.routes);
        const config::Route* route = table.choose({.database = database,
                                                   .user = user,
                                                   .application_name = application_name,
                                                   .sni = host_name,
                                                   .address = address});
        const auto engine = policy::Engine::build(config.policies);
        const policy::Engine* judge = std::get_if<policy::Engine>(&engine);
        if (judge == nullptr || route == nullptr) continue;
        const policy::Rules rules = judge->for_principal({.user = user,
                                                          .database = database,
                                                          .application_name = application_name,
                                                          .route = route->name,
                                                          .address = address});
        policy::Shortlists shortlists;
        if (!rules.empty()) static_cast<void>(judge->judge(rules, policy::Statement{.text = client}, shortlists));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const config::test::Folder folder;
    ByteView input = fuzz::view(data, size);
    const std::string text(fuzz::part(input, '\x1e'));
    folder.write("userlist.txt", std::string(fuzz::part(input, '\x1e')));
    const config::Loaded loaded = folder.load(text);
    PGSLUICE_CHECK(loaded.config.has_value() == loaded.problems.empty());
    check_lines(loaded.problems);
    check_lines(loaded.warnings);
    if (!loaded) return 0;
    const std::string printed = config::print(*loaded.config);
    const config::Loaded again = folder.load(printed);
    PGSLUICE_CHECK(again && config::print(*again.config) == printed);
    check_client(*loaded.config, input);
    return 0;
}
