// The least that a Snapshot is built of.
#pragma once

#include <pgsluice/config/config.hpp>

#include <utility>
#include <vector>

namespace pgsluice::test {

// A route "all" to the cluster "main" of these servers, without TLS.
inline config::Config one_route(std::vector<config::Endpoint> servers) {
    config::Config config;
    config::Cluster cluster;
    cluster.name = "main";
    cluster.servers = std::move(servers);
    cluster.tls.mode = config::ServerTlsMode::disable;
    config.clusters = {cluster};
    config::Route route;
    route.name = "all";
    route.cluster = "main";
    config.routes = {route};
    return config;
}

}  // namespace pgsluice::test
