// What is possible and hardly meant: each warning says what would happen, and what to do about it. It looks at values
// of several sections, so that it comes behind all other checks, and users files have been read.
#include "checks.hpp"

#include <pgsluice/base/name_list.hpp>
#include <pgsluice/config/schemaless_names.hpp>

#include <algorithm>

namespace pgsluice::config {
namespace {

bool compares_passwords(const AuthRule& rule) {
    return rule.method == AuthMethod::password || rule.method == AuthMethod::md5 ||
           rule.method == AuthMethod::scram_sha_256;
}

bool is_empty(const UserSource& source) {
    return source.users.empty() && source.users_file.empty() && !source.query;
}

bool has_no_passwords(const Config& config) {
    return is_empty(config.auth.source) && std::all_of(config.clusters.begin(), config.clusters.end(),
                                                       [](const Cluster& each) { return is_empty(each.source); });
}

void doubt_rules(Reader& reader, const Node& auth, const Config& config) {
    const bool are_all_plain = std::all_of(config.listeners.begin(), config.listeners.end(), [](const Listener& each) {
        return each.tls.mode == ListenerTlsMode::disable;
    });
    bool has_told = !has_no_passwords(config);
    for_each_item(auth, "rules", config.auth.rules, [&](const Node& node, const AuthRule& rule) {
        if (rule.tls == TlsCondition::require && rule.method != AuthMethod::cert && are_all_plain) {
            reader.warning(node_of(node, "tls"),
                           "matches nobody: no listener has TLS; give one tls.mode, certificate and private_key");
        }
        if (compares_passwords(rule) && !std::exchange(has_told, true)) {
            reader.warning(node_of(node, "method"),
                           "lets nobody in: there is no password to compare with; give auth users, users_file or "
                           "query");
        }
    });
}

// 32 hexadecimal digits behind "md5", as PostgreSQL knows one.
bool is_md5_hash(std::string_view text) {
    return text.size() == 35 && text.starts_with("md5") &&
           text.find_first_not_of("0123456789abcdef", 3) == std::string_view::npos;
}

// Only SCRAM is asked of it, which a hash cannot answer.
bool is_shut_out(const User& user, const std::vector<AuthRule>& rules) {
    if (!is_md5_hash(user.password.reveal())) return false;
    bool is_asked_for_scram = false;
    for (const AuthRule& rule : rules) {
        if (!matches(rule.users, user.name)) continue;
        if (rule.method == AuthMethod::md5 || rule.method == AuthMethod::password) return false;
        is_asked_for_scram = is_asked_for_scram || rule.method == AuthMethod::scram_sha_256;
    }
    return is_asked_for_scram;
}

void doubt_users(Reader& reader, const Node& section, const UserSource& source, const Config& config) {
    const std::string what =
        "cannot log in: rules ask for scram-sha-256, which an md5 hash cannot answer; store what \"pgsluice "
        "hash-password\" prints, or give a rule the method md5";
    for_each_item(section, "users", source.users, [&](const Node& node, const User& user) {
        if (is_shut_out(user, config.auth.rules) && node.find("password") != nullptr)
            reader.warning(node_of(node, "password"), '"' + user.name + "\" " + what);
    });
    const auto is_of_file = [&](const User& user) { return user.from_file && is_shut_out(user, config.auth.rules); };
    const auto count = std::count_if(source.users.begin(), source.users.end(), is_of_file);
    if (count == 0) return;
    const auto first = std::find_if(source.users.begin(), source.users.end(), is_of_file);
    const std::string others = count == 1 ? "" : " and " + std::to_string(count - 1) + " more";
    reader.warning(node_of(section, "users_file"), '"' + first->name + '"' + others + ' ' + what);
}

void doubt_query(Reader& reader, const Node& section, const UserSource& source) {
    if (!source.query) return;
    if (const std::string advice = schemaless_advice(source.query->sql); !advice.empty())
        reader.warning(node_of(section_of(section, "query"), "sql"), advice);
    // A login of ours: what is stored in place of a password proves only that of others.
    const std::string_view text = source.query->password.reveal();
    const Node& node = node_of(section_of(section, "query"), "password");
    if (text.starts_with("SCRAM-SHA-256$"))
        reader.warning(node,
                       "cannot log in: it is a SCRAM verifier, and no server takes one; give the password itself");
    if (is_md5_hash(text))
        reader.warning(node,
                       "is an md5 hash, which logs in only where the server asks for md5, and not for SCRAM; give the "
                       "password itself");
}

void doubt_pool(Reader& reader, const Node& route, const Pool& pool) {
    const Node& section = section_of(route, "pool");
    if (pool.mode == PoolMode::session && pool.min_size > 0) {
        reader.warning(node_of(section, "min_size"),
                       "does nothing in session mode, where each startup packet has a pool of its own; leave it out, "
                       "or take another mode");
    }
    const bool ends_before = pool.query_wait_timeout.count() != 0 && pool.reserve_timeout >= pool.query_wait_timeout;
    if (pool.reserve_size > 0 && ends_before) {
        const Node* given = section.find("reserve_timeout");
        reader.warning(given != nullptr ? *given : node_of(section, "reserve_size"),
                       "nobody waits so long: query_wait_timeout ends the wait before the reserve is opened; let "
                       "reserve_timeout be shorter");
    }
}

// Of one of those who may be the pool's user. Where a route takes clients' own names, they are held to the limit for
// all.
std::uint32_t most_servers_of_user(const Route& route, const Config& config) {
    const auto own = [&](const UserSource& source) -> const User* {
        const auto found = std::find_if(source.users.begin(), source.users.end(),
                                        [&](const User& user) { return user.name == route.user; });
        return found == source.users.end() ? nullptr : &*found;
    };
    const User* user = nullptr;
    for (const Cluster& cluster : config.clusters) {
        if (cluster.name == route.cluster) user = own(cluster.source);
    }
    if (user == nullptr) user = own(config.auth.source);
    const bool has_own_limit = !route.user.empty() && user != nullptr && user->max_server_connections != 0;
    return has_own_limit ? user->max_server_connections : config.limits.server_connections_per_user;
}

void doubt_minimum(Reader& reader, const Node& node, const Route& route, const Config& config) {
    const std::uint32_t most = most_servers_of_user(route, config);
    if (route.pool.mode == PoolMode::session || most == 0 || route.pool.min_size <= most) return;
    reader.warning(node_of(section_of(node, "pool"), "min_size"),
                   "is never reached: the pool's user may have " + std::to_string(most) +
                       " servers over all pools (limits.server_connections_per_user, or max_server_connections of the "
                       "user); let one be smaller or the other larger");
}

bool is_any_address(const Listener& listener) {
    return listener.address == "0.0.0.0" || listener.address == "::";
}

// Names are not looked up, localhost apart, nor are the addresses of this machine.
bool is_same_place(const Endpoint& server, const Listener& listener) {
    if (server.port != listener.port) return false;
    if (!listener.unix_directory.empty()) return server.host == listener.unix_directory;
    if (server.host.starts_with('/')) return false;
    if (is_any_address(listener)) return is_local(server);
    if (server.host == "localhost") return is_local({listener.address, listener.port});
    const auto asked = Address::parse(server.host), listened = Address::parse(listener.address);
    return asked && listened && asked->to_string() == listened->to_string();
}

void doubt_servers(Reader& reader, const Node& cluster, const Cluster& value, const Config& config) {
    for_each_item(cluster, "servers", value.servers, [&](const Node& node, const Endpoint& server) {
        const bool is_own = std::any_of(config.listeners.begin(), config.listeners.end(),
                                        [&](const Listener& each) { return is_same_place(server, each); });
        if (is_own) {
            reader.warning(node_of(node, "host"),
                           "is a listener of this pgsluice, which would connect to itself until it is full; give the "
                           "address and port of PostgreSQL");
        }
    });
}

}  // namespace

void check_doubts(Reader& reader, const Node& root, const Config& config) {
    const Node& auth = section_of(root, "auth");
    doubt_rules(reader, auth, config);
    doubt_users(reader, auth, config.auth.source, config);
    doubt_query(reader, auth, config.auth.source);
    for_each_item(root, "clusters", config.clusters, [&](const Node& node, const Cluster& cluster) {
        doubt_users(reader, node, cluster.source, config);
        doubt_query(reader, node, cluster.source);
        doubt_servers(reader, node, cluster, config);
    });
    for_each_item(root, "routes", config.routes, [&](const Node& node, const Route& route) {
        doubt_pool(reader, node, route.pool);
        doubt_minimum(reader, node, route, config);
    });
    doubt_policies(reader, root, config);
}

}  // namespace pgsluice::config
