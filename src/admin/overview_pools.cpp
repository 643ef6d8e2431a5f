#include "cells.hpp"
#include "overview_parts.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace pgsluice::admin {
namespace {

namespace json = boost::json;
using metrics::label_value;

// A pool over all workers, and in session mode over all startup packets.
struct Sum {
    PoolName name;
    std::set<config::PoolMode> modes;
    std::size_t size = 0, pinned = 0;
    std::int64_t longest_wait = 0;
    ByState<metrics::ClientState> clients;
    ByState<metrics::ServerState> servers;
    std::set<std::string> hosts;
};

std::vector<Sum> sums_of(const View& view) {
    std::map<std::tuple<std::string, std::string, std::string>, Sum> by_name;
    const auto sum_of = [&](const PoolName& name) -> Sum& {
        Sum& sum = by_name[{name.route, name.database, name.user}];
        sum.name = name;
        return sum;
    };
    for (const PoolView& pool : view.pools) {
        Sum& sum = sum_of(pool.name);
        sum.modes.insert(pool.mode);
        sum.size = pool.size;
        sum.servers[metrics::ServerState::connecting] += pool.connecting;
    }
    for (const ClientView& client : view.clients) {
        Sum& sum = sum_of(client.pool);
        ++sum.clients[client.state];
        if (!client.pins.empty()) ++sum.pinned;
        sum.longest_wait = std::max(sum.longest_wait, client.waits_for);
    }
    for (const ServerView& server : view.servers) {
        Sum& sum = sum_of(server.pool);
        ++sum.servers[server.state];
        sum.hosts.insert(server.label);
    }
    std::vector<Sum> sums;
    sums.reserve(by_name.size());
    for (auto& [name, sum] : by_name) sums.push_back(std::move(sum));
    // What hurts comes first, so that it is never what is cut off.
    std::stable_sort(sums.begin(), sums.end(),
                     [](const Sum& a, const Sum& b) { return a.longest_wait > b.longest_wait; });
    return sums;
}

json::object named(const PoolName& name) {
    return {
        {"route", label_value(name.route)}, {"database", label_value(name.database)}, {"user", label_value(name.user)}};
}

json::object pool_of(const Sum& sum) {
    json::object pool = named(sum.name);
    json::array hosts;
    for (const std::string& host : sum.hosts) hosts.emplace_back(label_value(host));
    pool["mode"] = modes_cell(sum.modes);
    pool["size"] = sum.size;
    pool["servers"] = sum.servers.to_json();
    pool["hosts"] = std::move(hosts);
    pool["clients"] = sum.clients.to_json();
    pool["pinned_clients"] = sum.pinned;
    pool["oldest_waiter_seconds"] = seconds(sum.longest_wait);
    return pool;
}

json::object wait_of(const Sum& sum) {
    json::object wait = named(sum.name);
    wait["waiting"] = sum.clients[metrics::ClientState::waiting];
    wait["oldest_waiter_seconds"] = seconds(sum.longest_wait);
    return wait;
}

json::object pin_of(const ClientView& client, std::int64_t now) {
    json::array reasons;
    for (const std::string_view reason : client.pins) reasons.emplace_back(reason);
    return {{"id", client.id},
            {"user", label_value(client.user)},
            {"database", label_value(client.database)},
            {"route", label_value(client.pool.route)},
            {"reasons", std::move(reasons)},
            {"age_seconds", seconds(std::max<std::int64_t>(0, now - client.pinned_at))}};
}

// False: there is no room for it.
bool add(Shown& shown, json::object item) {
    shown.is_truncated = shown.items.size() >= most_shown;
    if (!shown.is_truncated) shown.items.push_back(std::move(item));
    return !shown.is_truncated;
}

Shown pins_of(const View& view, std::int64_t now) {
    std::vector<const ClientView*> pinned;
    for (const ClientView& client : view.clients) {
        if (!client.pins.empty()) pinned.push_back(&client);
    }
    std::stable_sort(pinned.begin(), pinned.end(),
                     [](const ClientView* a, const ClientView* b) { return a->pinned_at < b->pinned_at; });
    Shown pins;
    for (const ClientView* client : pinned) {
        if (!add(pins, pin_of(*client, now))) break;
    }
    return pins;
}

}  // namespace

PoolParts pool_parts(const View& view, std::int64_t now) {
    PoolParts parts;
    for (const Sum& sum : sums_of(view)) {
        const std::size_t waiting = sum.clients[metrics::ClientState::waiting];
        parts.waiting += waiting;
        parts.longest_wait = std::max(parts.longest_wait, sum.longest_wait);
        if (!parts.pools.is_truncated) add(parts.pools, pool_of(sum));
        if (waiting > 0 && !parts.waits.is_truncated) add(parts.waits, wait_of(sum));
    }
    parts.pins = pins_of(view, now);
    return parts;
}

}  // namespace pgsluice::admin
