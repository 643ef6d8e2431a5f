// The sets of counters that a worker writes: one for itself, one per route, server, pool, policy
// rule and (database, user). A
// set is owned by the Registry, lives as long as it, and is written by one worker only. Each starts a cache line, so
// that two workers never share one.
#pragma once

#include <pgsluice/metrics/counter.hpp>
#include <pgsluice/metrics/histogram.hpp>
#include <pgsluice/metrics/labels.hpp>
#include <pgsluice/metrics/sqlstate.hpp>

namespace pgsluice::metrics {

struct alignas(64) WorkerMetrics {
    Since last_tick;      // when the event loop last came round; /healthz and the watchdog read it too
    Histogram loop_lag;   // how late timers fire
    SharedGauge clients;  // client connections, from accept on: whoever accepts for another worker counts there
    Counter accepted;     // client connections accepted
    Counter accept_pauses;
    Counter logins;
    By<Counter, LoginFailure> login_failures;
    By<Counter, CancelOutcome> cancels;
    SqlstateCounters errors;
};

struct alignas(64) RouteMetrics {
    By<Gauge, ClientState> clients;
    By<Counter, QueryKind> queries;
    By<Counter, StatementKind> statements;  // those of them that somebody measures
    Counter transactions;
    By<Counter, Direction> bytes;
    Histogram query_seconds;              // from the statement's arrival to the reply that ends it
    Histogram transaction_seconds;        // from its first statement to ReadyForQuery 'I'
    Histogram session_seconds;            // from login to disconnection
    Histogram wait_seconds;               // from asking for a server to having it, zero waits included
    By<Counter, Lookup> statement_cache;  // a server already has the statement that is needed, or it is prepared there
    By<Counter, TimeLimit> timeouts;
    By<Counter, Disconnect> disconnects;
    By<Gauge, PinReason> pinned;  // clients that keep their server for that
    Since oldest_pin;             // when the client that has kept its server longest began to
    By<Counter, PinReason> pins;  // how often that has begun
    Counter unparsable;           // statements that policies had to know and could not be parsed
    Counter uninspected;          // statements that passed without inspection because they are too large
};

// A pool is one (route, server, database, user). Its levels add up over workers; the size limit is the largest of what
// the workers say, for it is one limit over all of them. A pool that is gone takes back what it added, and its series
// end.
struct alignas(64) PoolMetrics {
    By<Gauge, ServerState> servers;
    Gauge waiters;
    Gauge size_limit;
    Since oldest_waiter;  // when the client that has waited longest began to wait
};

// One server of a cluster, over all of its pools.
struct alignas(64) ServerMetrics {
    Histogram connect_seconds;  // from the dial to the end of the server's login, successful ones
    By<Counter, ConnectFailure> connect_failures;
    By<Counter, ServerClose> closes;
};

struct alignas(64) RuleMetrics {
    Counter verdicts;  // statements that the rule matched first
};

// What one authenticated user does in one database.
struct alignas(64) UserMetrics {
    Gauge clients;
    Counter logins;
    Counter transactions;
    Counter queries;
    Counter bytes_in, bytes_out;
};

}  // namespace pgsluice::metrics
