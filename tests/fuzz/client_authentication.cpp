// A client that does not know the password: method by the first byte, stored password by the second.
#include "fuzz.hpp"

#include <pgsluice/auth/md5.hpp>
#include <pgsluice/protocol/client_authentication.hpp>

using namespace pgsluice;
using protocol::ClientAuthentication;

namespace {

constexpr std::string_view password = "not to be guessed by anybody";

std::optional<auth::Credential> stored(unsigned variant) {
    static const auto keys = auth::derive(password, "salt", 1);
    switch (variant % 5) {
        case 0: return auth::ScramVerifier::from_keys(keys, "salt", 1);
        case 1: return auth::PlainPassword{Secret(std::string(password))};
        case 2: return auth::Md5Password{auth::md5_hash(password, "user")};
        case 3: return auth::NoPassword{};
        default: return std::nullopt;
    }
}

struct Verdict {
    std::size_t kind;
    Bytes out;
    friend bool operator==(const Verdict&, const Verdict&) = default;
};

Verdict run(ByteView input, ClientAuthentication::Setup setup, std::size_t portion) {
    static const auth::ScramKeys wrong{Secret(Bytes(32, 'x')), Secret(Bytes(32, 'y'))};
    ClientAuthentication machine(std::move(setup));
    Bytes buffer, out;
    auto action = machine.begin(out);
    while (true) {
        PGSLUICE_CHECK(!std::holds_alternative<ClientAuthentication::Accepted>(action));
        if (std::holds_alternative<ClientAuthentication::Derive>(action)) {
            action = machine.resume(wrong, out);
            continue;
        }
        if (!std::holds_alternative<ClientAuthentication::NeedMessage>(action) || input.empty()) break;
        buffer += input.substr(0, portion);
        input.remove_prefix(std::min(portion, input.size()));
        auto step = machine.resume(ByteView(buffer), out);
        PGSLUICE_CHECK(step.consumed <= buffer.size());
        buffer.erase(0, step.consumed);
        PGSLUICE_CHECK(buffer.size() <= 70000 || portion > 1);
        action = std::move(step.action);
    }
    return {action.index(), out};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteView input = fuzz::view(data, size);
    ClientAuthentication::Setup setup;
    constexpr config::AuthMethod methods[] = {config::AuthMethod::password, config::AuthMethod::md5,
                                              config::AuthMethod::scram_sha_256};
    setup.rule.method = methods[fuzz::choice(input) % 3];
    const unsigned variant = fuzz::choice(input);
    setup.user = "user";
    setup.credential = stored(variant);
    setup.nonce = Bytes(auth::scram_nonce_bytes, 'n');
    setup.md5_salt = "salt";
    setup.process_secret = Secret("process");
    if (variant >= 128) setup.channel_binding = Bytes(32, 'h');

    // The stream's portions make no difference.
    PGSLUICE_CHECK(run(input, setup, input.size() + 1) == run(input, setup, 1));
    return 0;
}
