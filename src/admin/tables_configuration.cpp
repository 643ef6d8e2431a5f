// What is configured, and how much of it is used.
#include "cells.hpp"
#include "tables.hpp"

#include <pgsluice/base/name_list.hpp>
#include <pgsluice/config/keys.hpp>
#include <pgsluice/config/print.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace pgsluice::admin {
namespace {

const config::Cluster* cluster_of(const Scene& scene, const config::Route& route) {
    const auto& clusters = scene.config.clusters;
    const auto found = std::find_if(clusters.begin(), clusters.end(),
                                    [&](const config::Cluster& each) { return each.name == route.cluster; });
    return found == clusters.end() ? nullptr : &*found;
}

bool is_plain(const std::string& name) {
    return name.find_first_of("*?[") == std::string::npos;
}

bool takes(const config::Config& config, const config::Route& route, const std::string& database) {
    return matches(route.match.databases, database) && !config.console.answers(database);
}

bool hands_on(const config::Config& config, const config::Route& route, const std::string& database) {
    return takes(config, route, database) && (route.database.empty() || route.database == database);
}

// The databases that a route is told by their names, those that clients have found there by its patterns, also while
// only servers are left of them, and those that somebody has paused or disabled before.
std::set<std::string> databases_of(const Scene& scene, const config::Route& route) {
    std::set<std::string> names;
    for (const std::string& name : route.match.databases) {
        if (is_plain(name)) names.insert(name);
    }
    for (const ClientView& client : scene.view.clients) {
        if (client.pool.route == route.name) names.insert(client.database);
    }
    // Where a route names the servers' database, that does not tell what clients call it.
    for (const ServerView& server : scene.view.servers) {
        if (server.pool.route == route.name && route.database.empty()) names.insert(server.pool.database);
    }
    for (const std::string& name : scene.paused) {
        if (hands_on(scene.config, route, name)) names.insert(name);
    }
    for (const std::string& name : scene.disabled) {
        if (takes(scene.config, route, name)) names.insert(name);
    }
    if (names.empty()) names.insert("*");
    return names;
}

template <class View, class Condition>
std::string count(const std::vector<View>& all, Condition condition) {
    return cell(std::count_if(all.begin(), all.end(), condition));
}

// There is one column for ports, and a cluster may have several.
std::string host_of(const config::Cluster* cluster) {
    std::string hosts;
    if (cluster == nullptr) return hosts;
    const auto& servers = cluster->servers;
    const bool is_one_port = std::all_of(servers.begin(), servers.end(), [&](const config::Endpoint& server) {
        return server.port == servers.front().port;
    });
    for (const config::Endpoint& server : servers)
        hosts += (hosts.empty() ? "" : ",") + (is_one_port ? server.host : server.label());
    return hosts;
}

// A name that clients give, and the routes that may take one of them: at least one, the first is asked first.
struct NamedDatabase {
    std::string name;
    std::vector<const config::Route*> routes;

    static bool takes_everybody(const config::Route* route) {
        const config::RouteMatch& match = route->match;
        return match.users.empty() && match.applications.empty() && match.from.empty() && match.sni.empty();
    }
    // What most clients have, where some have routes of their own.
    const config::Route& usual() const {
        const auto found = std::find_if(routes.begin(), routes.end(), takes_everybody);
        return found == routes.end() ? *routes.front() : **found;
    }
    std::string of_servers(const config::Route& route) const { return route.database.empty() ? name : route.database; }
};

// None behind one that takes everybody is ever asked about the name.
std::vector<const config::Route*> routes_of(const config::Config& config, const std::string& database) {
    std::vector<const config::Route*> routes;
    for (const config::Route& route : config.routes) {
        if (!matches(route.match.databases, database)) continue;
        routes.push_back(&route);
        if (NamedDatabase::takes_everybody(&route)) break;
    }
    return routes;
}

// Its mode and sizes are those of its usual route; its connections are all that it has, by whatever route.
Row row_of(const Scene& scene, const NamedDatabase& named) {
    const config::Route& route = named.usual();
    const config::Cluster* cluster = cluster_of(scene, route);
    const auto is_its = [&](const ServerView& server) {
        return std::any_of(named.routes.begin(), named.routes.end(), [&](const config::Route* each) {
            return server.pool.route == each->name && server.pool.database == named.of_servers(*each);
        });
    };
    const auto is_paused = [&](const config::Route* each) { return scene.paused.contains(named.of_servers(*each)); };
    return {named.name,
            host_of(cluster),
            cell(cluster == nullptr || cluster->servers.empty() ? 0 : cluster->servers.front().port),
            named.of_servers(route),
            route.user.empty() ? std::nullopt : std::optional(route.user),
            cell(route.pool.size),
            cell(route.pool.min_size),
            cell(route.pool.reserve_size),
            cell(route.pool.lifetime.count() / 1000),
            mode_cell(route.pool.mode),
            cluster == nullptr ? std::string() : balance_cell(cluster->load_balance_hosts),
            cell(cluster == nullptr ? 0 : cluster->max_connections),
            count(scene.view.servers, is_its),
            cell(route.max_connections),
            count(scene.view.clients, [&](const ClientView& each) { return each.database == named.name; }),
            cell(scene.all_paused || std::any_of(named.routes.begin(), named.routes.end(), is_paused)),
            cell(scene.disabled.contains(named.name)),
            route.name,
            route.cluster};
}

}  // namespace

std::set<std::string> server_names(const Scene& scene, const std::string& database) {
    std::set<std::string> names;
    if (database == "*") return names;  // what stands for those that nobody has used yet
    for (const config::Route& route : scene.config.routes) {
        if (databases_of(scene, route).contains(database))
            names.insert(route.database.empty() ? database : route.database);
    }
    // As clients name it, if they do: a server may call another one so.
    if (!names.empty()) return names;
    const auto is_servers = [&](const auto& each) { return each.pool.database == database; };
    const auto is_routes = [&](const config::Route& route) { return route.database == database; };
    if (std::any_of(scene.view.clients.begin(), scene.view.clients.end(), is_servers) ||
        std::any_of(scene.view.servers.begin(), scene.view.servers.end(), is_servers) ||
        std::any_of(scene.config.routes.begin(), scene.config.routes.end(), is_routes)) {
        names.insert(database);
    }
    return names;
}

bool is_routed(const config::Config& config, const std::string& database) {
    return std::any_of(config.routes.begin(), config.routes.end(),
                       [&](const config::Route& route) { return takes(config, route, database); });
}

bool is_handed_on(const config::Config& config, const std::string& database) {
    return std::any_of(config.routes.begin(), config.routes.end(),
                       [&](const config::Route& route) { return hands_on(config, route, database); });
}

std::vector<Row> databases(const Scene& scene) {
    std::vector<NamedDatabase> named;
    std::map<std::string, std::size_t> seen;  // a name is one row: exporters make it a label
    for (const config::Route& route : scene.config.routes) {
        for (const std::string& name : databases_of(scene, route)) {
            if (seen.emplace(name, named.size()).second)
                named.push_back({name, {&route}});
            else if (name == "*")
                named[seen.at(name)].routes.push_back(&route);
        }
    }
    std::vector<Row> rows;
    for (NamedDatabase& each : named) {
        // A reload may have taken the name from the route that somebody has found by it.
        std::vector<const config::Route*> routes = routes_of(scene.config, each.name);
        if (each.name != "*" && !routes.empty()) each.routes = std::move(routes);
        rows.push_back(row_of(scene, each));
    }
    return rows;
}

// Those of the configuration and those that are here, also only as users of servers.
std::vector<Row> users(const Scene& scene) {
    struct Limits {
        std::uint32_t server_connections, client_connections;
    };
    const config::Limits& all = scene.config.limits;
    std::map<std::string, Limits> limits;
    const auto add_name = [&](const std::string& name) {
        limits.try_emplace(name, Limits{all.server_connections_per_user, all.connections_per_user});
    };
    for (const ClientView& client : scene.view.clients) add_name(client.user);
    for (const ServerView& server : scene.view.servers) add_name(server.pool.user);
    const auto add = [&](const config::UserSource& source) {
        for (const config::User& user : source.users) {
            add_name(user.name);
            Limits& own = limits.at(user.name);
            if (user.max_server_connections != 0) own.server_connections = user.max_server_connections;
            if (user.max_connections != 0) own.client_connections = user.max_connections;
        }
    };
    add(scene.config.auth.source);
    for (const config::Cluster& cluster : scene.config.clusters) add(cluster.source);
    std::vector<Row> rows;
    for (const auto& each_user : limits) {
        const std::string& name = each_user.first;
        rows.push_back({name, "0", "0", std::nullopt, cell(each_user.second.server_connections),
                        count(scene.view.servers, [&](const ServerView& each) { return each.pool.user == name; }),
                        cell(each_user.second.client_connections),
                        count(scene.view.clients, [&](const ClientView& each) { return each.user == name; })});
    }
    return rows;
}

std::vector<Row> peers(const Scene& scene) {
    std::vector<Row> rows;
    for (const config::Peer& peer : scene.config.peers.members) {
        rows.push_back({cell(peer.id), peer.endpoint.host, cell(peer.endpoint.port), "0"});
    }
    return rows;
}

std::vector<Row> peer_pools(const Scene& scene) {
    std::vector<Row> rows;
    for (const config::Peer& peer : scene.config.peers.members) rows.push_back({cell(peer.id), "0", "0", "0", "0"});
    return rows;
}

std::vector<Row> configuration(const Scene& scene) {
    std::map<std::string, config::KeyInfo> known;
    for (config::KeyInfo& key : config::known_keys()) known.emplace(key.path, std::move(key));
    std::vector<Row> rows;
    for (const config::PrintedKey& key : config::print_keys(scene.config)) {
        const auto found = known.find(key.pattern);
        const bool is_known = found != known.end();
        const bool is_settable = is_known && found->second.is_settable;
        rows.push_back(
            {key.path, key.value, is_known ? found->second.default_value : std::string(), is_settable ? "yes" : "no"});
    }
    return rows;
}

std::vector<Row> routes(const Scene& scene) {
    std::vector<Row> rows;
    for (const config::Route& route : scene.config.routes) {
        rows.push_back(
            {route.name, list_cell(route.match.databases), list_cell(route.match.users), route.cluster, route.database,
             route.user, mode_cell(route.pool.mode), cell(route.pool.size),
             count(scene.view.clients, [&](const ClientView& each) { return each.pool.route == route.name; }),
             count(scene.view.servers, [&](const ServerView& each) { return each.pool.route == route.name; })});
    }
    return rows;
}

std::vector<Row> clusters(const Scene& scene) {
    std::vector<Row> rows;
    for (const config::Cluster& cluster : scene.config.clusters) {
        for (const config::Endpoint& server : cluster.servers) {
            const std::string label = server.host + ':' + std::to_string(server.port);
            rows.push_back({cluster.name, label,
                            count(scene.view.servers, [&](const ServerView& each) { return each.label == label; }),
                            cell(cluster.max_connections), balance_cell(cluster.load_balance_hosts)});
        }
    }
    return rows;
}

std::vector<Row> policies(const Scene& scene) {
    std::vector<Row> rows;
    for (const config::Policy& policy : scene.config.policies) {
        rows.push_back({policy.name, std::string(name_of(policy.action)), std::string(name_of(policy.mode)),
                        bounded_cell(config::print_when(policy)), bounded_cell(config::print_effect(policy))});
    }
    return rows;
}

}  // namespace pgsluice::admin
