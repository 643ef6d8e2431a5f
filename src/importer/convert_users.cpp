// Who the clients are, and how they prove it.
#include "convert.hpp"
#include "hba.hpp"

#include <pgsluice/base/name_list.hpp>
#include <pgsluice/config/ranges.hpp>

#include <algorithm>

namespace pgsluice::importer {
namespace {

// In all rules together: more than that a configuration does not hold, though its file has them once.
constexpr std::size_t most_names = 100'000;

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

HbaUsers hba_users_of(const Source& source, const config::Config& config) {
    HbaUsers users{names_of(source), !asks_servers(config), {}, false};
    for (const Setting& setting : source.settings) {
        if (setting.section != "databases") continue;
        if (setting.key == "*")
            users.has_any_database = true;
        else
            users.databases.push_back(setting.key);
    }
    return users;
}

bool compares_no_password(const config::AuthRule& rule) {
    using enum config::AuthMethod;
    return rule.method == trust || rule.method == cert || rule.method == peer;
}

// Whether every such rule for all may name all users that there are. Otherwise it says so.
bool may_name_all(const Source& source, const std::vector<config::AuthRule>& rules, const Place& place) {
    const auto rules_for_all = static_cast<std::size_t>(std::count_if(
        rules.begin(), rules.end(), [](const auto& rule) { return compares_no_password(rule) && rule.users.empty(); }));
    if (rules_for_all * source.users.size() <= most_names) return true;
    source.findings.add(Weight::broken, place, "auth_hba_file",
                        std::to_string(rules_for_all) + " rules of trust, cert or peer for all would name each of " +
                            std::to_string(source.users.size()) + " users of auth_file. At most " +
                            std::to_string(most_names) +
                            " names fit: let fewer rules be for all; until then "
                            "nobody is let in by them");
    return false;
}

// Where no password is compared, PgBouncer still knows the user, or lets nobody in; and a rule that matches decides,
// also where it cannot be met. So what is asked of fewer than it matched is refused behind it. Appends to `out`.
void add_rule(const Source& source, const config::Config& config, config::AuthRule rule, const Place& place,
              std::vector<config::AuthRule>& out, bool may_name_all_users = true) {
    using enum config::AuthMethod;
    if (!compares_no_password(rule)) return out.push_back(std::move(rule));
    config::AuthRule refusal = rule;
    refusal.method = reject;
    refusal.map.clear();
    const bool are_users_asked_for = asks_servers(config);
    if (are_users_asked_for) {
        source.findings.add(Weight::less_safe, place, "auth_type",
                            "trust, cert and peer let in users whom auth_query would not find");
    } else {
        if (rule.users.empty() && may_name_all_users)
            rule.users = names_of(source);
        else
            std::erase_if(rule.users, [&](const std::string& name) { return !is_known(source, name); });
    }
    bool can_be_met = are_users_asked_for || !rule.users.empty();
    if (rule.method == cert) {
        const bool is_by_tcp = rule.from.empty() || !matches(rule.from, Address{});
        const bool is_asked_for = rule.tls != config::TlsCondition::refuse && is_by_tcp &&
                                  source.options.word("client_tls_sslmode") != "disable" &&
                                  source.options.is_set("client_tls_ca_file");
        if (!is_asked_for)
            source.findings.add(Weight::broken, place, "auth_type",
                                "\"cert\" needs TLS and client_tls_ca_file, so nobody is let in by it");
        can_be_met = can_be_met && is_asked_for;
        rule.tls = config::TlsCondition::require;
    }
    const bool is_for_all = can_be_met && are_users_asked_for && rule.tls == refusal.tls;
    if (can_be_met) out.push_back(std::move(rule));
    if (!is_for_all) out.push_back(std::move(refusal));
}

// Listeners ask for certificates where a rule wants them.
void ask_for_certificates(const Source& source, config::Config& config) {
    const bool is_wanted = std::any_of(config.auth.rules.begin(), config.auth.rules.end(),
                                       [](const auto& rule) { return rule.method == config::AuthMethod::cert; });
    for (config::Listener& listener : config.listeners) {
        if (is_wanted && !listener.address.empty()) listener.tls.client_ca = source.options.file("client_tls_ca_file");
    }
}

void convert_hba(const Source& source, config::Config& config) {
    const Options& options = source.options;
    const Place place = options.place("auth_hba_file");
    if (!options.is_set("auth_hba_file"))
        return source.findings.add(Weight::broken, options.place("auth_type"), "auth_hba_file",
                                   "auth_type hba needs it");
    const IdentMaps maps =
        options.is_set("auth_ident_file") ? read_ident(options.file("auth_ident_file"), source.findings) : IdentMaps();
    Hba hba = read_hba(options.file("auth_hba_file"), maps, hba_users_of(source, config), source.findings);
    const bool may_name = asks_servers(config) || may_name_all(source, hba.rules, place);
    for (config::AuthRule& rule : hba.rules)
        add_rule(source, config, std::move(rule), place, config.auth.rules, may_name);
    if (hba.names_replication) {
        source.findings.add(Weight::less_safe, place, "auth_hba_file",
                            "rules do not tell replication connections from others: who may log in may also "
                            "replicate, as far as the server lets the user");
    } else {
        for (config::Route& route : config.routes) route.replication = config::Replication::reject;
    }
}

// "any" takes every name, for databases that have a user of their own, and refuses the others.
std::vector<config::AuthRule> rules_for_any(const Source& source, const config::Config& config) {
    config::AuthRule refused, taken;
    taken.method = config::AuthMethod::trust;
    bool is_any_taken = false, is_any_refused = false;
    for (const config::Route& route : config.routes) {
        if (route.match.databases.empty()) {
            is_any_taken = !route.user.empty();
            is_any_refused = route.user.empty();
        } else {
            const std::string& name = route.match.databases[0];
            (route.user.empty() ? refused : taken).databases.push_back(name);
        }
    }
    std::vector<config::AuthRule> rules;
    if (!refused.databases.empty() || is_any_refused)
        source.findings.add(Weight::note, source.options.place("auth_type"), "auth_type",
                            "any lets nobody in to a database without user=, as in PgBouncer");
    if (!refused.databases.empty()) rules.push_back(refused);
    if (is_any_taken) taken.databases.clear();
    if (is_any_taken || !taken.databases.empty()) rules.push_back(taken);
    return rules;
}

}  // namespace

void convert_users(const Source& source, config::Config& config) {
    const Options& options = source.options;
    config.auth.source.users_file = options.file("auth_file");
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
        config::User user;
        user.name = entry.name;
        const auto seconds = [&](std::string_view key) -> std::optional<Milliseconds> {
            const std::string* value = entry.find(key);
            if (value == nullptr) return std::nullopt;
            return source.seconds(*value, Milliseconds(0), entry, key);
        };
        user.timeouts = {seconds("query_timeout"), seconds("transaction_timeout"), seconds("idle_transaction_timeout"),
                         seconds("client_idle_timeout")};
        const auto limit = [&](std::string_view key) {
            const std::uint32_t value = source.number(entry.text(key, "0"), 0, entry, key);
            return source.within(value, 0, config::most_connections, entry.place, key);
        };
        user.max_connections = limit("max_user_client_connections");
        user.max_server_connections = limit("max_user_connections");
        const auto& own = user.timeouts;
        if (!own.query && !own.transaction && !own.idle_transaction && !own.client_idle && user.max_connections == 0 &&
            user.max_server_connections == 0)
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
    const std::string type = options.word("auth_type");
    const Place place = options.place("auth_type");
    auto& rules = config.auth.rules;
    config::AuthRule rule;
    if (type == "hba") {
        convert_hba(source, config);
    } else if (type == "any") {
        rules = rules_for_any(source, config);
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
        add_rule(source, config, rule, place, rules);
    }
    if (rules.empty()) rules.push_back({});  // rejects
    ask_for_certificates(source, config);
}

}  // namespace pgsluice::importer
