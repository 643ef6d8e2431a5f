// The closed sets of label values. A label whose values come from here cannot grow without a change of this file.
// names_of gives the values in the enum's order.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace pgsluice::metrics {

template <class... Names>
constexpr auto names(Names... list) {
    return std::array<std::string_view, sizeof...(list)>{list...};
}

// A name from outside as the value of a label: escaped as for the log, and cut at 128 bytes.
std::string label_value(std::string_view name);

// idle: at rest, owns no server and waits for none; active: has a server; waiting: waits for one.
enum class ClientState : std::uint8_t { idle, active, waiting };
constexpr auto names_of(ClientState) {
    return names("idle", "active", "waiting");
}

// connecting: until the server's login has ended; active: lent to a client; checking: asked whether it still lives;
// resetting: between two owners; cancelling: not lent again before a cancel request for it has ended.
enum class ServerState : std::uint8_t { connecting, idle, active, checking, resetting, cancelling };
constexpr auto names_of(ServerState) {
    return names("connecting", "idle", "active", "checking", "resetting", "cancelling");
}

enum class QueryKind : std::uint8_t { simple, extended_execute, function_call };
constexpr auto names_of(QueryKind) {
    return names("simple", "extended_execute", "function_call");
}

// What a statement does. Where that is several things, the first of these.
enum class StatementKind : std::uint8_t {
    ddl,  // what log_statement = ddl logs
    remove,
    update,
    insert,
    merge,
    copy,
    call,  // CALL and DO
    transaction,
    set,  // SET, RESET, DISCARD
    select,
    other,
    not_parsed
};
constexpr auto names_of(StatementKind) {
    return names("ddl", "delete", "update", "insert", "merge", "copy", "call", "transaction", "set", "select", "other",
                 "not_parsed");
}

// As pgsluice sees it: client_in is what clients sent to us.
enum class Direction : std::uint8_t { client_in, client_out, server_in, server_out };
constexpr auto names_of(Direction) {
    return names("client_in", "client_out", "server_in", "server_out");
}

enum class Lookup : std::uint8_t { hit, miss };
constexpr auto names_of(Lookup) {
    return names("hit", "miss");
}

// Why a client did not get as far as ReadyForQuery.
enum class LoginFailure : std::uint8_t {
    authentication,      // wrong password, unknown user, certificate name that does not match
    no_rule,             // no auth rule matched, or one that says reject
    tls,                 // handshake failed, or plain where TLS is required
    timeout,             // limits.login_timeout
    protocol_violation,  // malformed or misplaced startup packet or message
    unsupported,         // a protocol version or feature that we do not speak
    no_route,            // 3D000
    disabled,            // DISABLE in the console
    too_many_clients,    // a client limit, 53300
    no_server,           // no server reachable, or none free in time
    server_rejected,     // the server refused the login
    auth_query,          // auth.query failed
    shutting_down,       // draining
    client_left,         // the client went away first
};
constexpr auto names_of(LoginFailure) {
    return names("authentication", "no_rule", "tls", "timeout", "protocol_violation", "unsupported", "no_route",
                 "disabled", "too_many_clients", "no_server", "server_rejected", "auth_query", "shutting_down",
                 "client_left");
}

// Why a client that had logged in is gone.
enum class Disconnect : std::uint8_t {
    client_left,         // Terminate
    client_lost,         // end of stream or a broken connection without Terminate
    protocol_violation,  // 08P01
    server_lost,         // its server died in a transaction, or in session mode
    timeout,             // idle_transaction, client_idle, query or transaction timeout that ends the connection
    shutdown,            // 57P01: we stop, or a reload has taken its route away
    killed,              // 57P01: KILL or KILL_CLIENT in the console
    failed,              // anything else that ended in a FATAL of ours
};
constexpr auto names_of(Disconnect) {
    return names("client_left", "client_lost", "protocol_violation", "server_lost", "timeout", "shutdown", "killed",
                 "failed");
}

// The time limits of the configuration, counted when they strike.
enum class TimeLimit : std::uint8_t { query, transaction, idle_transaction, client_idle, query_wait };
constexpr auto names_of(TimeLimit) {
    return names("query", "transaction", "idle_transaction", "client_idle", "query_wait");
}

// What keeps a client on its server. In the order of protocol::Pin.
enum class PinReason : std::uint8_t { temporary_table, advisory_lock, listen, cursor, prepared, library, unknown };
constexpr auto names_of(PinReason) {
    return names("temporary_table", "advisory_lock", "listen", "cursor", "prepared", "library", "unknown");
}

// Why a server connection that had logged in was closed.
enum class ServerClose : std::uint8_t {
    lost,             // the server closed it, or it broke
    lifetime,         // pool.lifetime
    idle_timeout,     // pool.idle_timeout
    evicted,          // made room for a sibling pool
    unclean,          // its client left in the middle of an exchange, or a statement was cut off
    reset_failed,     // DISCARD ALL or a replayed setting failed
    check_failed,     // did not answer check_after_idle
    wrong_role,       // no longer what target_session_attrs asks for
    server_shutdown,  // said that it shuts down
    configuration,    // a reload changed its pool
    shutdown,         // we stop
    replication,      // a walsender whose client has left
    reconnect,        // RECONNECT in the console
    paused,           // PAUSE or KILL there
    custom_settings,  // another client has made a setting there, whose name stays: pool.custom_settings
};
constexpr auto names_of(ServerClose) {
    return names("lost", "lifetime", "idle_timeout", "evicted", "unclean", "reset_failed", "check_failed", "wrong_role",
                 "server_shutdown", "configuration", "shutdown", "replication", "reconnect", "paused",
                 "custom_settings");
}

// Why a server connection did not come to be.
enum class ConnectFailure : std::uint8_t {
    resolve,
    refused,
    timeout,
    network,
    tls,
    authentication,
    rejected,
    wrong_role
};
constexpr auto names_of(ConnectFailure) {
    return names("resolve", "refused", "timeout", "network", "tls", "authentication", "rejected", "wrong_role");
}

// What became of a CancelRequest: sent to the server; ended the client's wait for a server; the key matches a client
// that runs nothing; the key is unknown; too many came; who was to be told could not be reached; the key is that of
// another pgsluice, which was sent the request.
enum class CancelOutcome : std::uint8_t { forwarded, ended_wait, nothing_running, unknown_key, limited, failed, peer };
constexpr auto names_of(CancelOutcome) {
    return names("forwarded", "ended_wait", "nothing_running", "unknown_key", "limited", "failed", "peer");
}

// Who made an error that a client was sent.
enum class ErrorOrigin : std::uint8_t { pgsluice, server };
constexpr auto names_of(ErrorOrigin) {
    return names("pgsluice", "server");
}

enum class Outcome : std::uint8_t { success, failure };
constexpr auto names_of(Outcome) {
    return names("success", "failure");
}

}  // namespace pgsluice::metrics
