// Clients, servers, and the pools that they are in.
#include "cells.hpp"
#include "tables.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

namespace pgsluice::admin {
namespace {

constexpr std::int64_t second = 1'000'000;

// "host:port" apart; the port of a Unix socket stands behind its folder, too.
std::pair<std::string, std::string> host_and_port(const std::string& label) {
    const std::size_t colon = label.rfind(':');
    if (colon == std::string::npos) return {label, "0"};
    return {label.substr(0, colon), label.substr(colon + 1)};
}

std::string state_of(const ClientView& client) {
    return std::string(metrics::names_of(client.state)[static_cast<std::size_t>(client.state)]);
}

// In PgBouncer's words: tested is between two owners or asked whether it lives, new is being logged in to.
std::string state_of(const ServerView& server) {
    using metrics::ServerState;
    switch (server.state) {
        case ServerState::connecting: return "new";
        case ServerState::idle: return "idle";
        case ServerState::active: return "active";
        case ServerState::checking:
        case ServerState::resetting: return "tested";
        case ServerState::cancelling: return "being_canceled";
    }
    return {};
}

void add_word(std::string& list, const std::string& word) {
    if (list.find(word) == std::string::npos) list += (list.empty() ? "" : ", ") + word;
}

// Of a view that outlives it. There may be thousands of both, and each client asks for its own.
class ServersById {
  public:
    explicit ServersById(const View& view) {
        servers_.reserve(view.servers.size());
        for (const ServerView& server : view.servers) servers_.emplace(server.id, &server);
    }

    // nullptr: there is none; 0 is nobody's.
    const ServerView* find(std::uint64_t id) const {
        const auto found = servers_.find(id);
        return id == 0 || found == servers_.end() ? nullptr : found->second;
    }

  private:
    std::unordered_map<std::uint64_t, const ServerView*> servers_;
};

Row row_of(const ServersById& servers, const ClientView& client, std::string state) {
    const ServerView* server = servers.find(client.server);
    const bool is_local = client.address.family == Address::Family::unix_socket;
    return {"C",
            client.user,
            client.database,
            std::string(client.replication),
            std::move(state),
            is_local ? "unix" : client.address.to_string(),
            cell(client.address.port),
            "",
            cell(client.local_port),
            time_cell(client.connected_at),
            time_cell(client.active_at),
            cell(client.waits_for / second),
            cell(client.waits_for % second),
            "0",
            id_cell(client.id),
            client.server == 0 ? std::string() : id_cell(client.server),
            cell(server == nullptr ? 0 : server->process_id),
            client.tls,
            client.application_name,
            cell(client.prepared_statements),
            cell(client.id)};
}

Row row_of(const ServerView& server, std::string state) {
    auto [host, port] = host_and_port(server.label);
    return {"S",
            server.pool.user,
            server.pool.database,
            std::string(server.replication),
            std::move(state),
            std::move(host),
            std::move(port),
            "",
            "0",
            time_cell(server.connected_at),
            time_cell(server.active_at),
            "0",
            "0",
            cell(server.is_to_be_closed),
            id_cell(server.id),
            server.client == 0 ? std::string() : id_cell(server.client),
            cell(server.process_id),
            server.tls,
            server.application_name,
            cell(server.prepared_statements),
            cell(server.id)};
}

void add_buffers(Row& row) {
    for (int i = 0; i < 7; ++i) row.emplace_back("0");
}

std::vector<Row> sockets_where(const Scene& scene, bool is_idle_wanted) {
    const ServersById servers(scene.view);
    std::vector<Row> rows;
    for (const ClientView& client : scene.view.clients) {
        const bool is_waiting = client.state == metrics::ClientState::waiting;
        if (client.state == metrics::ClientState::idle && !is_idle_wanted) continue;
        rows.push_back(row_of(servers, client, is_waiting ? "cl_waiting" : "cl_active"));
        add_buffers(rows.back());
    }
    for (const ServerView& server : scene.view.servers) {
        if (server.state == metrics::ServerState::idle && !is_idle_wanted) continue;
        rows.push_back(row_of(server, "sv_" + (state_of(server) == "new" ? "login" : state_of(server))));
        add_buffers(rows.back());
    }
    return rows;
}

}  // namespace

// Passwords, keys and cancel keys are nobody's to see.
std::vector<Row> descriptors(const Scene& scene) {
    std::map<std::uint64_t, int> client_of;  // by server
    std::map<std::uint64_t, int> server_of;
    for (const ClientView& client : scene.view.clients) client_of.emplace(client.server, client.descriptor);
    for (const ServerView& server : scene.view.servers) server_of.emplace(server.id, server.descriptor);
    const auto linked = [](const std::map<std::uint64_t, int>& descriptors, std::uint64_t id) {
        const auto found = descriptors.find(id);
        return id == 0 || found == descriptors.end() ? std::string("0") : cell(found->second);
    };
    std::vector<Row> rows;
    const auto add = [&](Row row, const SettingsView& settings) {
        for (const std::string* each : {&settings.client_encoding, &settings.standard_conforming_strings,
                                        &settings.date_style, &settings.time_zone}) {
            row.emplace_back(*each);
        }
        for (int i = 0; i < 3; ++i) row.emplace_back(std::nullopt);
        rows.push_back(std::move(row));
    };
    for (const ClientView& client : scene.view.clients) {
        const bool is_local = client.address.family == Address::Family::unix_socket;
        add({cell(client.descriptor), "client", client.user, client.database,
             is_local ? "unix" : client.address.to_string(), cell(client.address.port), "0",
             linked(server_of, client.server)},
            client.settings);
    }
    for (const ServerView& server : scene.view.servers) {
        auto [host, port] = host_and_port(server.label);
        add({cell(server.descriptor), "server", server.pool.user, server.pool.database, std::move(host),
             std::move(port), "0", linked(client_of, server.id)},
            server.settings);
    }
    return rows;
}

std::vector<Row> clients(const Scene& scene) {
    const ServersById servers(scene.view);
    std::vector<Row> rows;
    for (const auto* of : {&scene.view.clients, &scene.view.consoles}) {
        for (const ClientView& client : *of) {
            rows.push_back(row_of(servers, client, state_of(client)));
            rows.back().push_back(client.server == 0 ? std::string() : time_cell(client.held_at));
        }
    }
    return rows;
}

std::vector<Row> servers(const Scene& scene) {
    std::vector<Row> rows;
    for (const ServerView& server : scene.view.servers) rows.push_back(row_of(server, state_of(server)));
    return rows;
}

std::vector<Row> sockets(const Scene& scene) {
    return sockets_where(scene, true);
}

std::vector<Row> active_sockets(const Scene& scene) {
    return sockets_where(scene, false);
}

// One row for each database and user, since exporters make labels of these and take no label twice. The pools of all
// routes that lead there are counted together, so that the row names each of them, and its mode.
std::vector<Row> pools(const Scene& scene) {
    struct Counts {
        std::map<std::string, std::set<config::PoolMode>> modes;  // by route
        std::int64_t clients_active = 0, clients_waiting = 0, clients_pinned = 0, longest_wait = 0;
        std::size_t active = 0, cancelling = 0, idle = 0, tested = 0, connecting = 0;
    };
    std::map<std::pair<std::string, std::string>, Counts> pools;
    const auto counts_of = [&](const PoolName& name) -> Counts& { return pools[{name.database, name.user}]; };
    for (const PoolView& pool : scene.view.pools) {
        Counts& counts = counts_of(pool.name);
        counts.modes[pool.name.route].insert(pool.mode);
        counts.connecting += pool.connecting;
    }
    for (const ClientView& client : scene.view.clients) {
        Counts& counts = counts_of(client.pool);
        const bool is_waiting = client.state == metrics::ClientState::waiting;
        ++(is_waiting ? counts.clients_waiting : counts.clients_active);
        if (!client.pins.empty()) ++counts.clients_pinned;
        counts.longest_wait = std::max(counts.longest_wait, client.waits_for);
    }
    for (const ServerView& server : scene.view.servers) {
        Counts& counts = counts_of(server.pool);
        const std::string state = state_of(server);
        ++(state == "active"           ? counts.active
           : state == "idle"           ? counts.idle
           : state == "being_canceled" ? counts.cancelling
           : state == "new"            ? counts.connecting
                                       : counts.tested);
    }
    std::vector<Row> rows;
    for (const auto& [name, counts] : pools) {
        std::string routes, modes, balances;
        for (const auto& [route_name, of_route] : counts.modes) {
            routes += (routes.empty() ? "" : ", ") + route_name;
            add_word(modes, modes_cell(of_route));
            for (const config::Route& route : scene.config.routes) {
                if (route.name != route_name) continue;
                for (const config::Cluster& cluster : scene.config.clusters) {
                    if (cluster.name == route.cluster) add_word(balances, balance_cell(cluster.load_balance_hosts));
                }
            }
        }
        rows.push_back({name.first, name.second, cell(counts.clients_active), cell(counts.clients_waiting), "0", "0",
                        cell(counts.active), "0", cell(counts.cancelling), cell(counts.idle), "0", cell(counts.tested),
                        cell(counts.connecting), cell(counts.longest_wait / second), cell(counts.longest_wait % second),
                        modes, balances, cell(counts.clients_pinned), routes});
    }
    return rows;
}

std::vector<Row> pins(const Scene& scene) {
    const ServersById servers(scene.view);
    std::vector<Row> rows;
    for (const ClientView& client : scene.view.clients) {
        if (client.pins.empty()) continue;
        std::string reasons;
        for (const std::string_view pin : client.pins) reasons += (reasons.empty() ? "" : ",") + std::string(pin);
        const ServerView* server = servers.find(client.server);
        rows.push_back({cell(client.id), client.user, client.database, client.address.to_string(),
                        cell(client.address.port), reasons, server == nullptr ? std::string() : server->label,
                        cell(server == nullptr ? 0 : server->process_id), time_cell(client.active_at)});
    }
    return rows;
}

}  // namespace pgsluice::admin
