#include "descriptor_need.hpp"

#include "cancel_forward.hpp"
#include "client_limits.hpp"
#include "peer_cancels.hpp"

#include <algorithm>

namespace pgsluice::daemon {
namespace {

// For the log, the metrics endpoint, cancels, name resolution and administrators: never given to clients.
constexpr std::uint64_t reserved_descriptors =
    64 + ClientLimits::refusals_at_once + CancelForwards::at_once + PeerCancels::at_once;

// How many names a route's servers can have; nullopt: any.
std::optional<std::uint64_t> names(const std::string& rewritten, const std::vector<std::string>& matched) {
    if (!rewritten.empty()) return 1;
    const bool is_any = matched.empty() || std::find(matched.begin(), matched.end(), "*") != matched.end();
    return is_any ? std::nullopt : std::optional<std::uint64_t>(matched.size());
}

// Server connections of one route.
DescriptorNeed need_of(const config::Route& route) {
    const std::uint64_t pool = std::uint64_t{route.pool.size} + route.pool.reserve_size;
    const auto databases = names(route.database, route.match.databases);
    const auto users = names(route.user, route.match.users);
    const std::uint64_t pools = databases.value_or(1) * users.value_or(1);
    // In session mode clients with other startup parameters have another pool.
    const bool is_known = databases && users && route.pool.mode != config::PoolMode::session;
    return {pools * pool, is_known ? std::optional(pools * pool) : std::nullopt};
}

DescriptorNeed need_of(const config::Config& config, const config::Cluster& cluster) {
    DescriptorNeed sum{0, 0};
    for (const auto& route : config.routes) {
        if (route.cluster != cluster.name) continue;
        const DescriptorNeed need = need_of(route);
        sum.at_least += need.at_least;
        if (sum.at_most && need.at_most)
            *sum.at_most += *need.at_most;
        else
            sum.at_most.reset();
    }
    if (cluster.max_connections == 0) return sum;
    const std::uint64_t cap = std::uint64_t{cluster.max_connections} * cluster.servers.size();
    return {std::min(sum.at_least, cap), std::min(sum.at_most.value_or(cap), cap)};
}

}  // namespace

DescriptorNeed descriptor_need(const config::Config& config) {
    const std::uint64_t without_servers = reserved_descriptors + config.limits.client_connections;
    DescriptorNeed all{without_servers, without_servers};
    for (const auto& cluster : config.clusters) {
        const DescriptorNeed need = need_of(config, cluster);
        all.at_least += need.at_least;
        if (all.at_most && need.at_most)
            *all.at_most += *need.at_most;
        else
            all.at_most.reset();
    }
    return all;
}

}  // namespace pgsluice::daemon
