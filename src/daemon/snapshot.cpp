#include "snapshot.hpp"

#include "server_connection.hpp"

#include <algorithm>
#include <functional>

namespace pgsluice::daemon {
namespace {

net::TlsServerContext::Files files_of(const config::ListenerTls& tls) {
    using Certificate = net::TlsServerContext::ClientCertificate;
    Certificate wanted = tls.client_ca.empty() ? Certificate::none : Certificate::ask;
    if (tls.mode == config::ListenerTlsMode::verify_ca || tls.mode == config::ListenerTlsMode::verify_full) {
        wanted = Certificate::require;
    }
    return {tls.certificate, tls.private_key, tls.client_ca, wanted};
}

net::TlsClientContext::Files files_of(const config::ServerTls& tls) {
    using Verify = net::TlsClientContext::Verify;
    Verify verify = Verify::require;
    if (tls.mode == config::ServerTlsMode::verify_ca) verify = Verify::verify_ca;
    if (tls.mode == config::ServerTlsMode::verify_full) verify = Verify::verify_full;
    return {verify, tls.ca, tls.certificate, tls.private_key};
}

bool is_unix_only(const config::Cluster& cluster) {
    return std::all_of(cluster.servers.begin(), cluster.servers.end(), is_unix);
}

std::string listener_name(const config::Listener& listener) {
    return (listener.address.empty() ? listener.unix_directory : listener.address) + ':' +
           std::to_string(listener.port);
}

template <class T>
const T* by_name(const std::vector<T>& list, std::string_view name) {
    const auto found = std::find_if(list.begin(), list.end(), [&](const T& each) { return each.name == name; });
    return found == list.end() ? nullptr : &*found;
}

// Everything that a server connection was made with. Two targets of equal fingerprint can lend each other's servers.
std::uint64_t fingerprint_of(const pool::Target& target) {
    std::string all;
    const auto add = [&all](std::string_view text) {
        all += std::to_string(text.size());
        all += ':';
        all += text;
    };
    for (const auto& server : target.cluster.servers) {
        add(server.host);
        add(std::to_string(server.port));
    }
    const auto& tls = target.cluster.tls;
    add(std::to_string(static_cast<int>(tls.mode)));
    add(std::to_string(static_cast<int>(tls.channel_binding)));
    for (const auto* path : {&tls.ca, &tls.certificate, &tls.private_key}) add(*path);
    add(target.database);
    add(target.user);
    add(target.connect_query);
    add(std::to_string(static_cast<int>(target.session_attrs)));
    add(std::to_string(static_cast<int>(target.settings.mode)));
    // Else what clients left there while nobody followed it would be found later.
    add(target.settings.follows_state() ? "followed" : "ignored");
    for (const auto& [name, value] : target.parameters) {
        add(name);
        add(value);
    }
    for (const auto& [name, value] : target.startup) {
        add(name);
        add(value);
    }
    return std::hash<std::string>{}(all);
}

// Statistics or a log of queries are wanted.
bool measures_calls(const config::Config& config) {
    return config.insight_max_queries > 0 || std::any_of(config.routes.begin(), config.routes.end(),
                                                         [](const config::Route& route) { return route.log.is_on(); });
}

std::variant<policy::Engine, std::vector<policy::BuildError>> engine_of(const config::Config& config,
                                                                        const Snapshot* before) {
    const bool is_as_before = before != nullptr && before->config.policies == config.policies &&
                              before->config.on_unparsable == config.on_unparsable;
    if (is_as_before) return before->rulebook->policies;
    return policy::Engine::build(config.policies, config.on_unparsable);
}

}  // namespace

std::variant<std::shared_ptr<const Snapshot>, std::vector<std::string>> Snapshot::build(config::Config loaded,
                                                                                        const Snapshot* before) {
    std::vector<std::string> problems;
    auto snapshot = std::make_shared<Snapshot>(std::move(loaded));
    const config::Config& config = snapshot->config;

    auto engine = engine_of(config, before);
    if (const auto* errors = std::get_if<std::vector<policy::BuildError>>(&engine)) {
        for (const auto& error : *errors) {
            problems.push_back(config.path + ": policies[" + std::to_string(error.policy) + "]." + error.key + ": " +
                               error.text);
        }
    } else {
        snapshot->rulebook = std::make_shared<const session::Rulebook>(
            session::Rulebook{std::move(std::get<policy::Engine>(engine)), config.limits, measures_calls(config)});
    }
    for (const auto& listener : config.listeners) {
        std::shared_ptr<const net::TlsServerContext> context;
        if (listener.tls.mode != config::ListenerTlsMode::disable) {
            auto made = net::TlsServerContext::load(files_of(listener.tls));
            if (made)
                context = *made;
            else
                problems.push_back(config.path + ": listeners: " + listener_name(listener) + ": " + made.error().text);
        }
        snapshot->listener_tls.push_back(std::move(context));
    }
    snapshot->users = Users(config.auth.source.users);
    snapshot->has_verifiers = snapshot->users.has_verifiers() || config.auth.source.query.has_value();
    IterationTally tally;
    snapshot->users.count_iterations(tally);
    for (const auto& cluster : config.clusters) {
        const auto& own = snapshot->cluster_users.emplace(cluster.name, Users(cluster.source.users)).first->second;
        own.count_iterations(tally);
        snapshot->has_verifiers = snapshot->has_verifiers || own.has_verifiers() || cluster.source.query.has_value();
        if (cluster.tls.mode == config::ServerTlsMode::disable || is_unix_only(cluster)) continue;
        auto made = net::TlsClientContext::load(files_of(cluster.tls));
        if (made)
            snapshot->cluster_tls.emplace(cluster.name, *made);
        else
            problems.push_back(config.path + ": clusters." + cluster.name + ".tls: " + made.error().text);
    }
    snapshot->usual_iterations = tally.most_common().value_or(auth::scram_iterations);
    if (!config.peers.members.empty() && config.peers.tls.mode != config::ServerTlsMode::disable) {
        auto made = net::TlsClientContext::load(files_of(config.peers.tls));
        if (made)
            snapshot->peers_tls = *made;
        else
            problems.push_back(config.path + ": peers.tls: " + made.error().text);
    }
    if (config.admin_http.tls.is_on()) {
        net::TlsServerContext::Files files;
        files.certificate = config.admin_http.tls.certificate;
        files.private_key = config.admin_http.tls.private_key;
        auto made = net::TlsServerContext::load(files);
        if (made)
            snapshot->http_tls = *made;
        else
            problems.push_back(config.path + ": admin.http.tls: " + made.error().text);
    }
    if (!problems.empty()) return problems;
    return std::shared_ptr<const Snapshot>(std::move(snapshot));
}

const config::Cluster* Snapshot::cluster(std::string_view name) const {
    return by_name(config.clusters, name);
}

const config::Route* Snapshot::route(std::string_view name) const {
    return by_name(config.routes, name);
}

std::shared_ptr<const net::TlsClientContext> Snapshot::tls_of(const std::string& cluster) const {
    const auto found = cluster_tls.find(cluster);
    return found == cluster_tls.end() ? nullptr : found->second;
}

const Users::Entry* Snapshot::find_user(const std::string& cluster, std::string_view name) const {
    if (const auto own = cluster_users.find(cluster); own != cluster_users.end()) {
        if (const auto* entry = own->second.find(name)) return entry;
    }
    return users.find(name);
}

const config::AuthQuery* Snapshot::auth_query(const std::string& name) const {
    if (const auto* own = cluster(name); own != nullptr && own->source.query) return &*own->source.query;
    return config.auth.source.query ? &*config.auth.source.query : nullptr;
}

std::vector<const config::AuthQuery*> Snapshot::auth_queries() const {
    std::vector<const config::AuthQuery*> queries;
    if (config.auth.source.query) queries.push_back(&*config.auth.source.query);
    for (const auto& each : config.clusters) {
        if (each.source.query) queries.push_back(&*each.source.query);
    }
    return queries;
}

config::ClientTimeouts Snapshot::timeouts(const config::Route& route, const Users::Entry* user) const {
    config::ClientTimeouts result = config.timeouts.client;
    const auto apply = [&result](const config::ClientTimeoutOverrides& overrides) {
        if (overrides.query) result.query = *overrides.query;
        if (overrides.transaction) result.transaction = *overrides.transaction;
        if (overrides.idle_transaction) result.idle_transaction = *overrides.idle_transaction;
        if (overrides.client_idle) result.client_idle = *overrides.client_idle;
    };
    apply(route.timeouts);
    if (user != nullptr) apply(user->timeouts);
    return result;
}

std::vector<metrics::Certificate> Snapshot::certificates() const {
    std::vector<metrics::Certificate> all;
    for (std::size_t i = 0; i < listener_tls.size(); ++i) {
        if (listener_tls[i] == nullptr) continue;
        const auto& listener = config.listeners[i];
        all.push_back({"listener", listener_name(listener), listener.tls.certificate,
                       std::chrono::system_clock::to_time_t(listener_tls[i]->certificate_expiry())});
    }
    if (http_tls != nullptr) {
        all.push_back({"admin", "http", config.admin_http.tls.certificate,
                       std::chrono::system_clock::to_time_t(http_tls->certificate_expiry())});
    }
    for (const auto& each : config.clusters) {
        const auto context = tls_of(each.name);
        if (context == nullptr || each.tls.certificate.empty()) continue;
        all.push_back({"cluster", each.name, each.tls.certificate,
                       std::chrono::system_clock::to_time_t(context->certificate_expiry())});
    }
    return all;
}

std::shared_ptr<const pool::Target> Snapshot::target(const config::Route& route, const std::string& database,
                                                     const std::string& user,
                                                     const std::vector<wire::Setting>& settings,
                                                     std::optional<config::PoolMode> mode) const {
    auto target = std::make_shared<pool::Target>();
    target->route = route.name;
    target->database = route.database.empty() ? database : route.database;
    target->user = route.user.empty() ? user : route.user;
    target->settings = route.pool;
    if (mode && *mode != route.pool.mode) {
        target->settings.mode = *mode;
        target->settings.min_size = 0;
    }
    target->cluster = *cluster(route.cluster);
    target->session_attrs = route.target_session_attrs;
    target->parameters = route.parameters;
    target->connect_query = route.connect_query;
    const Users::Entry* known = find_user(route.cluster, target->user);
    const bool has_own_limit = known != nullptr && known->max_server_connections != 0;
    target->max_user_connections =
        has_own_limit ? known->max_server_connections : config.limits.server_connections_per_user;
    target->connect_retry = config.timeouts.connect_retry;
    target->abandoned = config.timeouts.abandoned;
    target->query_log = route.log;
    if (route.password) target->password = *route.password;
    if (target->in_session_mode()) target->startup = settings;
    if (target->is_physical_replication()) target->connect_query.clear();
    target->fingerprint = fingerprint_of(*target);
    return target;
}

}  // namespace pgsluice::daemon
