// The process as a whole.
#include "cells.hpp"
#include "tables.hpp"

#include <algorithm>

namespace pgsluice::admin {

std::vector<Row> lists(const Scene& scene) {
    const View& view = scene.view;
    const auto idle = std::count_if(view.servers.begin(), view.servers.end(),
                                    [](const ServerView& each) { return each.state == metrics::ServerState::idle; });
    const auto used = static_cast<std::ptrdiff_t>(view.servers.size()) - idle;
    return {{"databases", cell(databases(scene).size())},
            {"users", cell(users(scene).size())},
            {"peers", cell(scene.config.peers.members.size())},
            {"pools", cell(pools(scene).size())},
            {"peer_pools", cell(scene.config.peers.members.size())},
            {"free_clients", "0"},
            {"used_clients", cell(view.clients.size())},
            {"login_clients", "0"},
            {"free_servers", cell(idle)},
            {"used_servers", cell(used)},
            {"dns_names", "0"},
            {"dns_zones", "0"},
            {"dns_queries", "0"},
            {"dns_pending", "0"}};
}

std::vector<Row> memory(const Scene& scene) {
    const auto kibibytes = scene.resident_bytes / 1024;
    return {{"resident_kib", "1024", cell(kibibytes), "0", cell(kibibytes)}};
}

std::vector<Row> state(const Scene& scene) {
    return {{"active", scene.is_draining ? "no" : "yes"},
            {"paused", scene.all_paused ? "yes" : "no"},
            {"suspended", scene.suspended ? "yes" : "no"}};
}

std::vector<Row> version(const Scene& scene) {
    return {{"pgsluice " + scene.version}};
}

std::vector<Row> nothing(const Scene&) {
    return {};
}

}  // namespace pgsluice::admin
