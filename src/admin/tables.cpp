#include "tables.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace pgsluice::admin {
namespace {

// One line each for what PgBouncer has, in its order (its documentation, "SHOW commands").
#define PGSLUICE_CONNECTION_COLUMNS                                                                                    \
    "type s, user s, database s, replication s, state s, addr s, port i, local_addr s, local_port i, connect_time s, " \
    "request_time s, wait i, wait_us i, close_needed i, ptr s, link s, remote_pid i, tls s, application_name s, "      \
    "prepared_statements i, id i"

constexpr std::string_view connection_columns = PGSLUICE_CONNECTION_COLUMNS;
constexpr std::string_view client_columns = PGSLUICE_CONNECTION_COLUMNS ", held_since s";
constexpr std::string_view socket_columns = PGSLUICE_CONNECTION_COLUMNS
    ", recv_pos i, pkt_pos i, pkt_remain i, send_pos i, send_remain i, pkt_avail i, send_avail i";

#undef PGSLUICE_CONNECTION_COLUMNS

constexpr std::array tables{
    ShownTable{"databases",
               "name s, host s, port i, database s, force_user s, pool_size i, min_pool_size i, reserve_pool_size i, "
               "server_lifetime i, pool_mode s, load_balance_hosts s, max_connections i, current_connections i, "
               "max_client_connections i, current_client_connections i, paused i, disabled i, route s, cluster s",
               databases},
    ShownTable{"pools",
               "database s, user s, cl_active i, cl_waiting i, cl_active_cancel_req i, cl_waiting_cancel_req i, "
               "sv_active i, sv_active_cancel i, sv_being_canceled i, sv_idle i, sv_used i, sv_tested i, sv_login i, "
               "maxwait i, maxwait_us i, pool_mode s, load_balance_hosts s, cl_pinned i, route s",
               pools},
    ShownTable{"clients", client_columns, clients},
    ShownTable{"servers", connection_columns, servers},
    ShownTable{"users",
               "name s, pool_size i, reserve_pool_size i, pool_mode s, max_user_connections i, current_connections i, "
               "max_user_client_connections i, current_client_connections i",
               users},
    ShownTable{
        "stats",
        "database s, total_server_assignment_count N, total_xact_count N, total_query_count N, total_received N, "
        "total_sent N, total_xact_time N, total_query_time N, total_wait_time N, total_client_parse_count N, "
        "total_server_parse_count N, total_bind_count N, avg_server_assignment_count N, avg_xact_count N, "
        "avg_query_count N, avg_recv N, avg_sent N, avg_xact_time N, avg_query_time N, avg_wait_time N, "
        "avg_client_parse_count N, avg_server_parse_count N, avg_bind_count N, total_client_login_count N, "
        "avg_client_login_count N",
        stats},
    ShownTable{"stats_totals",
               "database s, server_assignment_count N, xact_count N, query_count N, bytes_received N, bytes_sent N, "
               "xact_time N, query_time N, wait_time N, client_parse_count N, server_parse_count N, bind_count N, "
               "client_login_count N",
               stats_totals},
    ShownTable{"stats_averages",
               "database s, server_assignment_count N, xact_count N, query_count N, bytes_received N, bytes_sent N, "
               "xact_time N, query_time N, wait_time N, avg_client_parse_count N, avg_server_parse_count N, "
               "avg_bind_count N, avg_client_login_count N",
               stats_averages},
    ShownTable{"totals", "name s, value N", totals},
    ShownTable{"lists", "list s, items i", lists},
    ShownTable{"config", "key s, value s, default s, changeable s", configuration},
    ShownTable{"version", "version s", version},
    ShownTable{"state", "key s, value s", state},
    ShownTable{"sockets", socket_columns, sockets},
    ShownTable{"active_sockets", socket_columns, active_sockets},
    ShownTable{"fds",
               "fd i, task s, user s, database s, addr s, port i, cancel q, link i, client_encoding s, std_strings s, "
               "datestyle s, timezone s, password s, scram_client_key b, scram_server_key b",
               descriptors, Role::admin, Look::with_settings},
    ShownTable{"mem", "name s, size i, used i, free i, memtotal i", memory},
    ShownTable{"dns_hosts", "hostname s, ttl q, addrs s", nothing},
    ShownTable{"dns_zones", "zonename s, serial q, count i", nothing},
    ShownTable{"peers", "peer_id i, host s, port i, pool_size i", peers},
    ShownTable{"peer_pools",
               "peer_id i, cl_active_cancel_req i, cl_waiting_cancel_req i, sv_active_cancel i, sv_login i",
               peer_pools},
    ShownTable{"routes",
               "name s, databases s, users s, cluster s, database s, user s, pool_mode s, pool_size i, clients i, "
               "servers i",
               routes},
    ShownTable{"clusters", "name s, server s, servers i, max_connections i, load_balance_hosts s", clusters},
    ShownTable{"pins", "id i, user s, database s, addr s, port i, reasons s, server s, remote_pid i, request_time s",
               pins},
    ShownTable{"policies", "name s, action s, mode s, when s, effect s", policies},
    ShownTable{"queries",
               "fingerprint s, route s, user s, calls q, errors q, rows q, bytes q, total_time q, mean_time q, "
               "min_time q, max_time q, p50_time q, p95_time q, p99_time q, wait_time q, p50_wait q, p95_wait q, "
               "p99_wait q, first_seen s, last_seen s, last_trace_id s, text s",
               queries, Role::stats, Look::with_queries},
};

// What drivers ask for behind a login, answered as by a server that speaks as we do here.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> settings{{
    {"client_encoding", "UTF8"},
    {"datestyle", "ISO"},
    {"default_transaction_isolation", "read committed"},
    {"default_transaction_read_only", "off"},
    {"extra_float_digits", "1"},
    {"server_encoding", "UTF8"},
    {"server_version", "15.0"},
    {"standard_conforming_strings", "on"},
    {"timezone", "UTC"},
    {"transaction_isolation", "read committed"},
}};

}  // namespace

std::span<const ShownTable> shown_tables() {
    return tables;
}

const ShownTable* find_table(std::string_view name) {
    const auto found =
        std::find_if(tables.begin(), tables.end(), [&](const ShownTable& each) { return each.name == name; });
    return found == tables.end() ? nullptr : &*found;
}

std::optional<std::string_view> setting_of(std::string_view name) {
    const auto found =
        std::find_if(settings.begin(), settings.end(), [&](const auto& each) { return each.first == name; });
    return found == settings.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace pgsluice::admin
