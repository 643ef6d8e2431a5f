#include "cells.hpp"
#include "overview_parts.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <map>

namespace pgsluice::admin {
namespace {

namespace json = boost::json;
using metrics::label_value;

struct RouteUse {
    ByState<metrics::ClientState> clients;
    std::size_t pinned = 0;
    std::int64_t longest_wait = 0;
};

std::map<std::string, RouteUse> uses_of(const View& view) {
    std::map<std::string, RouteUse> uses;
    for (const ClientView& client : view.clients) {
        RouteUse& use = uses[client.pool.route];
        ++use.clients[client.state];
        if (!client.pins.empty()) ++use.pinned;
        use.longest_wait = std::max(use.longest_wait, client.waits_for);
    }
    return uses;
}

json::object bytes_of(const metrics::Summary::Route& counted) {
    constexpr auto names = names_of(metrics::Direction{});
    json::object bytes;
    for (std::size_t i = 0; i < names.size(); ++i) bytes[names[i]] = counted.bytes[i];
    return bytes;
}

json::array routes_of(const OverviewFacts& facts) {
    const std::map<std::string, RouteUse> uses = uses_of(facts.scene.view);
    json::array routes;
    for (const config::Route& route : facts.scene.config.routes) {
        const std::string name = label_value(route.name);
        const auto used = uses.find(route.name);
        const auto summed = facts.counted.routes.find(name);
        const RouteUse use = used == uses.end() ? RouteUse() : used->second;
        const auto counted = summed == facts.counted.routes.end() ? metrics::Summary::Route() : summed->second;
        routes.push_back(json::object{{"name", name},
                                      {"cluster", label_value(route.cluster)},
                                      {"clients", use.clients.to_json()},
                                      {"pinned_clients", use.pinned},
                                      {"oldest_waiter_seconds", seconds(use.longest_wait)},
                                      {"transactions_total", counted.transactions},
                                      {"queries_total", counted.queries},
                                      {"bytes_total", bytes_of(counted)}});
    }
    return routes;
}

std::uint32_t max_connections_of(const config::Config& config, const std::string& cluster) {
    const auto found = std::find_if(config.clusters.begin(), config.clusters.end(),
                                    [&](const config::Cluster& each) { return each.name == cluster; });
    return found == config.clusters.end() ? 0 : found->max_connections;
}

json::array servers_of(const OverviewFacts& facts) {
    json::array servers;
    for (const UpstreamView& upstream : facts.upstreams) {
        servers.push_back(json::object{{"cluster", label_value(upstream.cluster)},
                                       {"host", label_value(upstream.host)},
                                       {"port", upstream.port},
                                       {"down", upstream.is_down},
                                       {"connections", upstream.connections},
                                       {"max_connections", max_connections_of(facts.scene.config, upstream.cluster)}});
    }
    return servers;
}

json::array errors_of(const metrics::Summary& counted) {
    json::array errors;
    for (const metrics::Summary::Errors& each : counted.errors) {
        errors.push_back(json::object{{"origin", names_of(each.origin)[static_cast<std::size_t>(each.origin)]},
                                      {"class", each.sqlstate_class},
                                      {"errors_total", each.count}});
    }
    return errors;
}

json::array policies_of(const OverviewFacts& facts) {
    json::array policies;
    for (const config::Policy& policy : facts.scene.config.policies) {
        const metrics::RuleLabels labels{label_value(policy.name), std::string(name_of(policy.action)),
                                         std::string(name_of(policy.mode))};
        const auto found = facts.counted.verdicts.find(labels);
        policies.push_back(json::object{{"name", labels.rule},
                                        {"action", labels.action},
                                        {"mode", labels.mode},
                                        {"verdicts_total", found == facts.counted.verdicts.end() ? 0 : found->second}});
    }
    return policies;
}

json::array names_in(const std::set<std::string>& databases) {
    json::array names;
    for (const std::string& each : databases) names.emplace_back(label_value(each));
    return names;
}

}  // namespace

std::string overview(const OverviewFacts& facts) {
    PoolParts parts = pool_parts(facts.scene.view, facts.now);
    json::object out;
    out["version"] = facts.scene.version;
    out["start_time_seconds"] = seconds(facts.started_at);
    out["uptime_seconds"] = seconds(facts.uptime);
    out["workers"] = facts.workers;
    out["draining"] = facts.scene.is_draining;
    out["all_paused"] = facts.scene.all_paused;
    out["suspended"] = facts.scene.suspended;
    out["paused_databases"] = names_in(facts.scene.paused);
    out["disabled_databases"] = names_in(facts.scene.disabled);
    out["routes"] = routes_of(facts);
    out["pools"] = std::move(parts.pools.items);
    out["servers"] = servers_of(facts);
    out["waits"] = json::object{{"waiting", parts.waiting},
                                {"oldest_waiter_seconds", seconds(parts.longest_wait)},
                                {"pools", std::move(parts.waits.items)}};
    out["pins"] = std::move(parts.pins.items);
    out["errors"] = errors_of(facts.counted);
    out["policies"] = policies_of(facts);
    out["truncated"] = json::object{
        {"pools", parts.pools.is_truncated}, {"waits", parts.waits.is_truncated}, {"pins", parts.pins.is_truncated}};
    return json::serialize(out);
}

}  // namespace pgsluice::admin
