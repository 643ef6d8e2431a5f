// Who the clients are, and how they prove it.
#include "convert.hpp"
#include "files.hpp"
#include "hba.hpp"

#include <algorithm>

namespace pgsluice::importer {
namespace {

bool asks_servers(const config::Config& config) {
    return std::any_of(config.clusters.begin(), config.clusters.end(),
                       [](const config::Cluster& cluster) { return cluster.source.query.has_value(); });
}

bool is_known(const Source& source, const std::string& name) {
    return source.find_user(name) != nullptr;
}

std::vector<std::string> names_of(const Source& source) {
    std::vector<std::string> out;
    for (const config::User& user : source.users) out.push_back(user.name);
    return out;
}

// Where no password is compared, PgBouncer still knows the user, or lets nobody in.
void keep_to_known_users(const Source& source, const config::Config& config, config::AuthRule& rule,
                         const Place& place) {
    using enum config::AuthMethod;
    if (rule.method != trust && rule.method != cert && rule.method != peer) return;
    if (asks_servers(config)) {
        if (rule.users.empty())
            source.findings.add(Weight::less_safe, place, "auth_type",
                                "trust, cert and peer let in users whom auth_query would not find");
        return;
    }
    if (rule.users.empty()) rule.users = names_of(source);
    std::erase_if(rule.users, [&](const std::string& name) { return !is_known(source, name); });
    if (!rule.users.empty()) return;
    rule.method = reject;
    rule.map.clear();
}

// A certificate is looked at where the listeners ask for one.
void allow_certificates(const Source& source, config::Config& config, config::AuthRule& rule, const Place& place) {
    if (rule.method != config::AuthMethod::cert) return;
    const Options& options = source.options;
    rule.tls = config::TlsCondition::require;
    if (options.text("client_tls_sslmode") == "disable" || !options.is_set("client_tls_ca_file")) {
        rule.method = config::AuthMethod::reject;
        rule.map.clear();
        return source.findings.add(
            Weight::broken, place, "auth_type",
            "\"cert\" needs client_tls_sslmode and client_tls_ca_file, so nobody is let in by it");
    }
    for (config::Listener& listener : config.listeners) {
        if (!listener.address.empty())
            listener.tls.client_ca = find_file(options.text("client_tls_ca_file"), place.file);
    }
}

void convert_hba(const Source& source, config::Config& config) {
    const Options& options = source.options;
    const auto file = [&](std::string_view name) { return find_file(options.text(name), options.place(name).file); };
    if (!options.is_set("auth_hba_file"))
        return source.findings.add(Weight::broken, options.place("auth_type"), "auth_hba_file",
                                   "auth_type hba needs it");
    const IdentMaps maps =
        options.is_set("auth_ident_file") ? read_ident(file("auth_ident_file"), source.findings) : IdentMaps();
    Hba hba = read_hba(file("auth_hba_file"), maps, names_of(source), source.findings);
    config.auth.rules = std::move(hba.rules);
    if (hba.names_replication) {
        source.findings.add(Weight::less_safe, options.place("auth_hba_file"), "auth_hba_file",
                            "rules do not tell replication connections from others: who may log in may also "
                            "replicate, as far as the server lets the user");
    } else {
        for (config::Route& route : config.routes) route.replication = config::Replication::reject;
    }
}

// "any" takes every name, for databases that have a user of their own.
config::AuthRule rule_for_any(const Source& source) {
    config::AuthRule rule;
    rule.method = config::AuthMethod::trust;
    for (const Setting& setting : source.settings) {
        const auto pairs = setting.section == "databases" ? parse_pairs(setting.value) : std::nullopt;
        const bool has_user =
            pairs && std::any_of(pairs->begin(), pairs->end(), [](const auto& pair) { return pair.first == "user"; });
        if (has_user) rule.databases.push_back(setting.key);
    }
    if (rule.databases.empty()) rule.method = config::AuthMethod::reject;
    return rule;
}

}  // namespace

void convert_users(const Source& source, config::Config& config) {
    const Options& options = source.options;
    if (options.is_set("auth_file"))
        config.auth.source.users_file = find_file(options.text("auth_file"), options.place("auth_file").file);
    const std::vector<std::string_view> known{"pool_mode",
                                              "pool_size",
                                              "reserve_pool_size",
                                              "max_user_connections",
                                              "max_user_client_connections",
                                              "query_timeout",
                                              "query_wait_timeout",
                                              "idle_transaction_timeout",
                                              "transaction_timeout",
                                              "client_idle_timeout"};
    for (const Entry& entry : entries_of(source, "users", known)) {
        if (entry.has("max_user_connections"))
            source.findings.add(Weight::note, entry.place, "max_user_connections",
                                "the servers of one user over all databases have no limit of their own");
        config::User user;
        user.name = entry.name;
        const auto seconds = [&](std::string_view key) -> std::optional<Milliseconds> {
            const std::string* value = entry.find(key);
            if (value == nullptr) return std::nullopt;
            return to_seconds(*value, Milliseconds(0), entry.place, std::string(key), source.findings);
        };
        user.timeouts = {seconds("query_timeout"), seconds("transaction_timeout"), seconds("idle_transaction_timeout"),
                         seconds("client_idle_timeout")};
        user.max_connections = to_number(entry.text("max_user_client_connections", "0"), 0, entry.place,
                                         "max_user_client_connections", source.findings);
        const auto& own = user.timeouts;
        if (!own.query && !own.transaction && !own.idle_transaction && !own.client_idle && user.max_connections == 0)
            continue;
        if (is_known(source, user.name)) {
            config.auth.source.users.push_back(std::move(user));
        } else {
            // Listed without a password, auth.query would not be asked about it any more.
            source.findings.add(Weight::not_done, entry.place, "[users] " + entry.name,
                                "limits and timeouts of a user who is not in auth_file are left out");
        }
    }
}

void convert_rules(const Source& source, config::Config& config) {
    using enum config::AuthMethod;
    const Options& options = source.options;
    const std::string type = options.text("auth_type");
    const Place place = options.place("auth_type");
    auto& rules = config.auth.rules;
    config::AuthRule rule;
    if (type == "hba") {
        convert_hba(source, config);
    } else if (type == "any") {
        rules = {rule_for_any(source)};
    } else {
        if (type == "trust") rule.method = trust;
        if (type == "plain") rule.method = password;
        if (type == "md5") rule.method = md5;
        if (type == "scram-sha-256") rule.method = scram_sha_256;
        if (type == "cert") rule.method = cert;
        if (type == "pam" || type == "ldap")
            source.findings.add(Weight::not_done, place, "auth_type", "there is no " + type + ", so nobody is let in");
        else if (rule.method == reject)
            source.findings.add(Weight::broken, place, "auth_type", "is no method of PgBouncer, so nobody is let in");
        rules = {rule};
    }
    for (config::AuthRule& each : rules) {
        if (type != "any") keep_to_known_users(source, config, each, place);
        allow_certificates(source, config, each, place);
    }
    if (rules.empty()) rules.push_back({});  // rejects
}

}  // namespace pgsluice::importer
