#include "checks.hpp"

#include <algorithm>

namespace pgsluice::config {
namespace {

// Unix sockets, ::1, and what lies inside 127.0.0.0/8.
bool is_local(const Network& network) {
    static const Address neighbour = *Address::parse("126.0.0.1");
    const std::string text = network.to_string();
    return text == "unix" || text == "::1/128" || (text.starts_with("127.") && !network.contains(neighbour));
}

bool is_only_local(const std::vector<Network>& from) {
    return !from.empty() && std::all_of(from.begin(), from.end(), is_local);
}

bool is_only_unix(const std::vector<Network>& from) {
    return !from.empty() &&
           std::all_of(from.begin(), from.end(), [](const Network& n) { return n.contains(Address{}); });
}

bool names_all(const std::vector<std::string>& names) {
    return names.empty() || std::find(names.begin(), names.end(), "*") != names.end();
}

bool matches_everybody(const AuthRule& rule) {
    return rule.from.empty() && rule.tls == TlsCondition::any && names_all(rule.databases) && names_all(rule.users);
}

bool can_check_certificates(const Config& config) {
    return std::any_of(config.listeners.begin(), config.listeners.end(), [](const Listener& listener) {
        return listener.tls.mode != ListenerTlsMode::disable && !listener.tls.client_ca.empty();
    });
}

void check_rule(Reader& reader, const Node& node, const AuthRule& rule, const Config& config) {
    const Node& method = node_of(node, "method");
    if (rule.method == AuthMethod::cert && (rule.tls == TlsCondition::refuse || !can_check_certificates(config))) {
        reader.problem(method, "\"cert\" needs TLS: a listener with tls.client_ca, and no tls: refuse in the rule");
    }
    if (rule.method == AuthMethod::peer && !is_only_unix(rule.from)) {
        reader.problem(method, "\"peer\" works over Unix sockets only; it needs from: [unix]");
    }
    if (!rule.map.empty() && rule.method != AuthMethod::cert && rule.method != AuthMethod::peer) {
        reader.problem(node_of(node, "map"), "a map is for the methods cert and peer");
    }
    if (rule.method == AuthMethod::trust && !is_only_local(rule.from)) {
        reader.warning(method,
                       "\"trust\" lets anybody in who can reach this machine; better is scram-sha-256, or from: "
                       "[unix]");
    }
    if (rule.method == AuthMethod::password && rule.tls != TlsCondition::require && !is_only_local(rule.from)) {
        reader.warning(method, "\"password\" without tls: require sends passwords in the clear");
    }
}

}  // namespace

void check_auth(Reader& reader, const Node& root, Config& config) {
    const Node& auth = node_of(root, "auth");
    if (config.auth.rules.empty()) {
        reader.problem(auth, "needs at least one item under \"auth.rules\": every client would be rejected");
    }
    bool is_reachable = true;
    for_each_item(section_of(root, "auth"), "rules", config.auth.rules, [&](const Node& node, const AuthRule& rule) {
        check_rule(reader, node, rule, config);
        if (!is_reachable) reader.warning(node, "never used: a rule before it matches every client");
        if (matches_everybody(rule)) is_reachable = false;
    });
    check_users(reader, section_of(root, "auth"), config.auth.source);
    check_auth_query(reader, section_of(root, "auth"), config.auth.source, {}, config);
}

void check_users(Reader& reader, const Node& section, const UserSource& source) {
    check_unique(reader, section, "users", source.users, &User::name, "user");
}

void check_auth_query(Reader& reader, const Node& section, UserSource& source, const std::string& inside,
                      const Config& config) {
    if (!source.query) return;
    const Node& node = section_of(section, "query");
    AuthQuery& query = *source.query;
    if (query.cluster.empty()) query.cluster = inside;
    resolve_cluster(reader, node, query.cluster, config);
    if (!query.sql.empty() && query.sql.find("$1") == std::string::npos) {
        reader.problem(node_of(node, "sql"), "must use $1, the name of the user");
    }
}

}  // namespace pgsluice::config
