// The configuration made ready for use: rules compiled, certificates loaded, users indexed. Immutable; a reload builds
// a new one and posts it to the workers, and whoever still uses the old one keeps it alive.
#pragma once

#include "users.hpp"

#include <pgsluice/config/config.hpp>
#include <pgsluice/metrics/registry.hpp>
#include <pgsluice/net/tls_context.hpp>
#include <pgsluice/pool/target.hpp>
#include <pgsluice/routing/table.hpp>
#include <pgsluice/session/host.hpp>

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace pgsluice::daemon {

struct Snapshot {
    explicit Snapshot(config::Config loaded) : config(std::move(loaded)), routes(config.routes) {}
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;

    // All errors as lines for the log, or the snapshot. Where its rules are those of the one before (nullptr: none),
    // the engine is too, so that what has been judged by them stands.
    static std::variant<std::shared_ptr<const Snapshot>, std::vector<std::string>> build(
        config::Config config, const Snapshot* before = nullptr);

    const config::Cluster* cluster(std::string_view name) const;
    const config::Route* route(std::string_view name) const;
    // nullptr where the cluster's TLS is disabled.
    std::shared_ptr<const net::TlsClientContext> tls_of(const std::string& cluster) const;
    // Cluster's own users first, then those for all.
    const Users::Entry* find_user(const std::string& cluster, std::string_view name) const;
    // The auth.query that answers for a cluster's clients; nullptr where there is none.
    const config::AuthQuery* auth_query(const std::string& cluster) const;
    // Of all clusters.
    std::vector<const config::AuthQuery*> auth_queries() const;
    config::ClientTimeouts timeouts(const config::Route& route, const Users::Entry* user) const;
    std::vector<metrics::Certificate> certificates() const;

    // What a client of `route` is to be connected to. `settings`: its startup parameters, which in session mode belong
    // to the server's startup packet.
    std::shared_ptr<const pool::Target> target(const config::Route& route, const std::string& database,
                                               const std::string& user, const std::vector<wire::Setting>& settings,
                                               std::optional<config::PoolMode> mode = std::nullopt) const;

    const config::Config config;
    const routing::Table routes;  // points into config
    std::shared_ptr<const session::Rulebook> rulebook;
    std::vector<std::shared_ptr<const net::TlsServerContext>> listener_tls;  // by listener; nullptr without TLS
    std::map<std::string, std::shared_ptr<const net::TlsClientContext>> cluster_tls;
    std::shared_ptr<const net::TlsClientContext> peers_tls;  // nullptr without TLS
    std::shared_ptr<const net::TlsServerContext> http_tls;   // nullptr without TLS
    std::map<std::string, Users> cluster_users;
    Users users;
    std::uint32_t usual_iterations = auth::scram_iterations;  // of the verifiers in all lists
    bool has_verifiers = false;  // of SCRAM, for anybody: in a list, or perhaps behind an auth.query
};

}  // namespace pgsluice::daemon
