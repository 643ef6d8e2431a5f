#include "overview_parts.hpp"

#include <pgsluice/admin/sessions.hpp>

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <limits>
#include <unordered_map>

namespace pgsluice::admin {
namespace {

namespace json = boost::json;
using metrics::label_value;

using ServersById = std::unordered_map<std::uint64_t, const ServerView*>;

double age(std::int64_t since, std::int64_t now) {
    return seconds(std::max<std::int64_t>(0, now - since));
}

json::value server_of(const ClientView& client, const ServersById& servers) {
    const auto found = servers.find(client.server);
    if (client.server == 0 || found == servers.end()) return nullptr;
    const ServerView& server = *found->second;
    return json::object{{"id", server.id}, {"host", label_value(server.label)}, {"process_id", server.process_id}};
}

json::value pin_of(const ClientView& client, std::int64_t now) {
    if (client.pins.empty()) return nullptr;
    json::array reasons;
    for (const std::string_view reason : client.pins) reasons.emplace_back(reason);
    return json::object{{"reasons", std::move(reasons)}, {"age_seconds", age(client.pinned_at, now)}};
}

json::value transaction_of(const ClientView& client, std::int64_t now) {
    if (client.transaction_at == 0) return nullptr;
    return json::object{{"age_seconds", age(client.transaction_at, now)}};
}

double time_in_state(const ClientView& client, std::int64_t now) {
    return client.state == metrics::ClientState::waiting ? seconds(client.waits_for) : age(client.active_at, now);
}

json::object to_json(const ClientView& client, const ServersById& servers, std::int64_t now) {
    const bool is_local = client.address.family == Address::Family::unix_socket;
    return {{"id", client.id},
            {"user", label_value(client.user)},
            {"database", label_value(client.database)},
            {"route", label_value(client.pool.route)},
            {"address", is_local ? "unix" : client.address.to_string()},
            {"port", client.address.port},
            {"application_name", label_value(client.application_name)},
            {"connected_seconds", age(client.connected_at, now)},
            {"state", names_of(client.state)[static_cast<std::size_t>(client.state)]},
            {"state_seconds", time_in_state(client, now)},
            {"server", server_of(client, servers)},
            {"pin", pin_of(client, now)},
            {"transaction", transaction_of(client, now)},
            {"prepared_statements", client.prepared_statements}};
}

// Those without a transaction behind all others.
std::int64_t rank_of(const ClientView& client) {
    return client.transaction_at == 0 ? std::numeric_limits<std::int64_t>::max() : client.transaction_at;
}

}  // namespace

std::string sessions(const View& view, std::int64_t now) {
    ServersById servers;
    for (const ServerView& server : view.servers) servers.emplace(server.id, &server);
    std::vector<const ClientView*> clients;
    clients.reserve(view.clients.size());
    for (const ClientView& client : view.clients) clients.push_back(&client);
    std::sort(clients.begin(), clients.end(), [](const ClientView* a, const ClientView* b) {
        const auto first = rank_of(*a), second = rank_of(*b);
        return first != second ? first < second : a->id < b->id;
    });
    json::array items;
    for (const ClientView* client : clients) {
        if (items.size() >= most_shown) break;
        items.push_back(to_json(*client, servers, now));
    }
    json::object out;
    out["count"] = clients.size();
    out["truncated"] = items.size() < clients.size();
    out["sessions"] = std::move(items);
    return json::serialize(out);
}

}  // namespace pgsluice::admin
