// The sections of the configuration, as tables of keys. Each stands in the file named after it.
#pragma once

#include "schema.hpp"

#include <pgsluice/config/config.hpp>

namespace pgsluice::config {

const Schema<Config>& config_schema();  // the top level

const Schema<Listener>& listener_schema();  // schema_listeners.cpp
const Schema<Limits>& limits_schema();      // schema_process.cpp
const Schema<Timeouts>& timeouts_schema();
const Schema<ClientTimeoutOverrides>& timeout_overrides_schema();
const Schema<Shutdown>& shutdown_schema();
const Schema<Log>& log_schema();
const Schema<Audit>& audit_schema();
const Schema<Config>& admin_schema();
const Schema<Auth>& auth_schema();        // schema_auth.cpp
const Schema<Cluster>& cluster_schema();  // schema_clusters.cpp
const Schema<Route>& route_schema();      // schema_routes.cpp
const Schema<Policy>& policy_schema();    // schema_policies.cpp
const Schema<Peers>& peers_schema();      // schema_peers.cpp

}  // namespace pgsluice::config
