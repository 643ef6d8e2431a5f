// Where a pool's servers are and how to log in to them: what configuration says of one (route, database, user), and in
// session mode one startup packet. Immutable; a reload replaces it whole.
#pragma once

#include <pgsluice/config/config.hpp>
#include <pgsluice/wire/startup_options.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace pgsluice::pool {

struct Target {
    std::string route;
    std::string database, user;  // as the server knows them
    // Session mode: the client's settings, part of the server's own startup packet; of a replication connection
    // `replication` too, which is the name of no setting.
    std::vector<wire::Setting> startup;
    config::Pool settings;
    config::Cluster cluster;
    config::TargetSessionAttrs session_attrs = config::TargetSessionAttrs::any;
    std::vector<wire::Setting> parameters;  // routes[].parameters
    std::string connect_query;
    Secret password;  // configured for the server user; empty: the client's own proof is passed through
    std::uint32_t max_user_connections = 0;  // server connections of `user` over all pools; 0: no limit
    Milliseconds connect_retry{1000};        // timeouts.connect_retry
    Milliseconds abandoned{5000};            // timeouts.abandoned; 0: no limit
    config::QueryLog query_log;              // routes[].log
    std::uint64_t fingerprint = 0;  // differs where servers opened under the older target must not be lent any more

    // Those of equal names share pool.size: Permits.
    std::string permits_key() const;
    // Equal keys are the same pool, on every worker. Names are a client's to choose, so no two lists of them may read
    // the same: they are joined by zeros, which no name holds.
    std::string key() const;
    // What the key is made of, part by part.
    bool is_same_pool(const Target& other) const;
    bool in_session_mode() const { return settings.mode == config::PoolMode::session; }
    // Its servers are walsenders: one client has each from its login to its end, and nothing is run on them besides.
    bool is_replication() const;
    // Of the whole WAL, which runs no SQL: not of one database's changes.
    bool is_physical_replication() const;
};

}  // namespace pgsluice::pool
