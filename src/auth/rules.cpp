#include <pgsluice/auth/rules.hpp>
#include <pgsluice/base/name_list.hpp>

#include <algorithm>

namespace pgsluice::auth {
namespace {

bool applies(const config::AuthRule& rule, const LoginFacts& facts) {
    if (rule.tls == config::TlsCondition::require && !facts.encrypted) return false;
    if (rule.tls == config::TlsCondition::refuse && facts.encrypted) return false;
    return matches(rule.from, facts.address) && matches(rule.databases, facts.database) &&
           matches(rule.users, facts.user);
}

std::string described(const LoginFacts& facts) {
    std::string text = "host \"" + facts.address.to_string() + "\", user \"";
    text.append(facts.user).append("\", database \"").append(facts.database).append("\", ");
    return text + (facts.encrypted ? "SSL encryption" : "no encryption");
}

}  // namespace

const config::AuthRule* match(std::span<const config::AuthRule> rules, const LoginFacts& facts) {
    const auto found =
        std::find_if(rules.begin(), rules.end(), [&](const config::AuthRule& rule) { return applies(rule, facts); });
    return found == rules.end() ? nullptr : &*found;
}

bool maps_to_user(const config::AuthRule& rule, std::string_view proved_name, std::string_view user) {
    if (proved_name.empty()) return false;
    if (rule.map.empty()) return proved_name == user;
    const auto entry = rule.map.find(std::string(proved_name));
    return entry != rule.map.end() && entry->second == user;
}

wire::SqlError no_rule_matches(const LoginFacts& facts) {
    return wire::fatal("28000", "no authentication rule matches " + described(facts));
}

wire::SqlError rejected_by_rule(const LoginFacts& facts) {
    return wire::fatal("28000", "an authentication rule rejects connection for " + described(facts));
}

wire::SqlError authentication_failed(config::AuthMethod method, std::string_view user) {
    using config::AuthMethod;
    const std::string name = "\"" + std::string(user) + "\"";
    switch (method) {
        case AuthMethod::password:
        case AuthMethod::md5:
        case AuthMethod::scram_sha_256:
            // One text for the three, and for a user that does not exist.
            return wire::fatal("28P01", "password authentication failed for user " + name);
        case AuthMethod::cert: return wire::fatal("28000", "certificate authentication failed for user " + name);
        case AuthMethod::peer: return wire::fatal("28000", "Peer authentication failed for user " + name);
        case AuthMethod::trust: return wire::fatal("28000", "\"trust\" authentication failed for user " + name);
        case AuthMethod::reject: break;
    }
    return wire::fatal("28000", "authentication failed for user " + name + ": host rejected");
}

}  // namespace pgsluice::auth
