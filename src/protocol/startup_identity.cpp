#include "startup_identity.hpp"

#include <pgsluice/base/lower_case.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

namespace pgsluice::protocol {
namespace {

constexpr std::size_t longest_name = 63;  // NAMEDATALEN - 1

// Cut at a byte, in the middle of a character if need be: strlen-style, as in ProcessStartupPacket. What is then
// no text in the database's encoding is nobody's name. One function, so that rules, routes and logs all see the same
// name.
std::string cut_name(ByteView name) {
    return std::string(name.substr(0, longest_name));
}

// pg_clean_ascii, then GUC_IS_NAME's length.
std::string clean_application_name(ByteView value) {
    std::string name(value);
    for (char& c : name) {
        if (c < 32 || c > 126) c = '?';
    }
    return cut_name(name);
}

// parse_bool (src/backend/utils/adt/bool.c): any unique beginning of a word will do.
std::optional<bool> parse_bool(ByteView value) {
    struct Word {
        ByteView text;
        std::size_t shortest;
        bool meaning;
    };
    constexpr std::array<Word, 8> words{{{"true", 1, true},
                                         {"false", 1, false},
                                         {"yes", 1, true},
                                         {"no", 1, false},
                                         {"on", 2, true},
                                         {"off", 2, false},
                                         {"1", 1, true},
                                         {"0", 1, false}}};
    const std::string lower = lower_case(value);
    for (const Word& word : words) {
        if (lower.size() >= word.shortest && word.text.starts_with(lower)) return word.meaning;
    }
    return std::nullopt;
}

std::variant<Replication, wire::SqlError> read_replication(ByteView value) {
    if (value == "database") return Replication::logical;
    const auto asked = parse_bool(value);
    if (!asked) {
        return wire::fatal("22023", "invalid value for parameter \"replication\": \"" + std::string(value) + "\"", {},
                           "Valid values are: \"false\", 0, \"true\", 1, \"database\".");
    }
    return *asked ? Replication::physical : Replication::none;
}

// These are fields of a StartupMessage and no settings. PostgreSQL knows no setting of such a name; passed on to a
// server they would change who we log in as (`options=-c user=postgres`, or a parameter "User"). An empty name would
// end the server's parameter list early.
bool is_reserved(const std::string& name) {
    return name.empty() || name == "user" || name == "database" || name == "options" || name == "replication";
}

std::optional<wire::SqlError> add(std::vector<wire::Setting>& settings, ByteView spelled, ByteView value) {
    std::string name = lower_case(spelled);
    if (is_reserved(name)) {
        return wire::fatal("42704", "unrecognized configuration parameter \"" + std::string(spelled) + "\"");
    }
    settings.emplace_back(std::move(name), std::string(value));
    return std::nullopt;
}

// The last of two equal names stays, in its own place: PostgreSQL applies them in order.
void keep_last(std::vector<wire::Setting>& settings) {
    std::set<std::string_view> seen;
    std::vector<wire::Setting> kept;
    for (auto setting = settings.rbegin(); setting != settings.rend(); ++setting) {
        if (seen.insert(setting->first).second) kept.push_back(*setting);
    }
    std::reverse(kept.begin(), kept.end());
    settings = std::move(kept);
}

}  // namespace

std::variant<ClientIdentity, wire::SqlError> read_identity(const wire::StartupMessage& message) {
    ByteView user, database, options, replication = "false";
    std::vector<std::pair<ByteView, ByteView>> others;
    for (const auto& [name, value] : message.parameters) {
        if (name == "user") {
            user = value;
        } else if (name == "database") {
            database = value;
        } else if (name == "options") {
            options = value;
        } else if (name == "replication") {
            replication = value;
        } else if (!name.starts_with(wire::protocol_option_prefix)) {
            others.emplace_back(name, value);
        }
    }

    auto kind = read_replication(replication);
    if (auto* error = std::get_if<wire::SqlError>(&kind)) return std::move(*error);
    if (user.empty()) return wire::fatal("28000", "no PostgreSQL user name specified in startup packet");
    ClientIdentity identity;
    identity.user = cut_name(user);
    identity.database = cut_name(database.empty() ? user : database);
    identity.protocol_minor = message.minor;
    identity.replication = std::get<Replication>(kind);

    // `options` first, whatever their place in the packet (process_startup_options in postinit.c).
    auto from_options = wire::read_options(options);
    if (auto* error = std::get_if<wire::SqlError>(&from_options)) return std::move(*error);
    for (const auto& [name, value] : std::get<std::vector<wire::Setting>>(from_options)) {
        if (auto error = add(identity.settings, name, value)) return std::move(*error);
    }
    for (const auto& [name, value] : others) {
        if (auto error = add(identity.settings, name, value)) return std::move(*error);
    }
    keep_last(identity.settings);
    for (const auto& [name, value] : identity.settings) {
        if (name == "application_name") identity.application_name = clean_application_name(value);
    }
    return identity;
}

}  // namespace pgsluice::protocol
