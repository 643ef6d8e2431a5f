// What the process is doing at one moment, as plain data: made by each worker of what is its own, put together for
// whoever asks. Times are microseconds since 1970.
#pragma once

#include <pgsluice/base/address.hpp>
#include <pgsluice/config/config.hpp>
#include <pgsluice/insight/picture.hpp>
#include <pgsluice/metrics/labels.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::admin {

// What is gathered beside what every table needs: it takes its time, and is seldom looked at.
enum class Look : std::uint8_t { usual, with_settings, with_queries };

// Whose servers: names as the server knows them.
struct PoolName {
    std::string route, database, user;
};

// Of a connection, as SHOW FDS has them; empty where nobody has told.
struct SettingsView {
    std::string client_encoding, standard_conforming_strings, date_style, time_zone;
};

struct ClientView {
    std::uint64_t id = 0;
    std::string user, database, application_name;  // as the client named them
    PoolName pool;
    metrics::ClientState state = metrics::ClientState::idle;
    std::string_view replication = "none";
    Address address;
    std::uint16_t local_port = 0;  // 0: a Unix socket
    std::string tls;               // "TLSv1.3/TLS_AES_256_GCM_SHA384"; empty on a plain connection
    std::int64_t connected_at = 0, active_at = 0;
    std::int64_t waits_for = 0;  // microseconds
    std::uint64_t server = 0;    // lent to it; 0: none
    std::int64_t held_at = 0;    // since when it has that server
    std::size_t prepared_statements = 0;
    std::vector<std::string_view> pins;  // why it keeps that server
    int descriptor = -1;
    SettingsView settings;            // what it has made of those of its server
    std::int64_t pinned_at = 0;       // since when, where there is any pin
    std::int64_t transaction_at = 0;  // the first message of its transaction; 0: none
};

struct ServerView {
    std::uint64_t id = 0;
    PoolName pool;
    metrics::ServerState state = metrics::ServerState::idle;
    std::string_view replication = "none";
    std::string label;  // "host:port"
    std::string tls, application_name;
    std::int64_t connected_at = 0, active_at = 0;
    std::uint64_t client = 0;     // that it is lent to; 0: none
    std::int32_t process_id = 0;  // of its backend
    std::size_t prepared_statements = 0;
    bool is_to_be_closed = false;
    int descriptor = -1;
    SettingsView settings;
};

struct PoolView {
    PoolName name;
    config::PoolMode mode = config::PoolMode::transaction;
    std::size_t connecting = 0;  // servers that are being logged in to
    std::size_t size = 0;        // server connections that it may have, over all workers
};

// One server of a cluster, over all pools and workers.
struct UpstreamView {
    std::string cluster, host;
    std::uint16_t port = 0;
    std::size_t connections = 0;  // those that are being logged in to among them
    bool is_down = false;         // a connection has failed, and it is not tried again before connect_retry has passed
};

// Since the start. Times are microseconds.
struct Totals {
    std::uint64_t assignments = 0;  // of servers to clients
    std::uint64_t transactions = 0, queries = 0;
    std::uint64_t bytes_in = 0, bytes_out = 0;  // from and to clients
    std::uint64_t transaction_time = 0, query_time = 0, wait_time = 0;
    std::uint64_t client_parses = 0, server_parses = 0, binds = 0, logins = 0;

    Totals& operator+=(const Totals& other);
    Totals operator-(const Totals& other) const;
};

// By the database that clients name.
using TotalsByDatabase = std::map<std::string, Totals>;

struct View {
    std::vector<ClientView> clients;
    std::vector<ClientView> consoles;  // clients of the console, which no sum counts
    std::vector<ServerView> servers;
    std::vector<PoolView> pools;
    TotalsByDatabase totals;
    TotalsByDatabase last_period;  // what came to them in the last one that has ended
    insight::Picture queries;

    void add(View other);
};

// How long a period is that averages are taken over.
constexpr std::int64_t period_seconds = 60;

}  // namespace pgsluice::admin
