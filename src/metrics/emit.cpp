#include "emit.hpp"

namespace pgsluice::metrics {

void emit_per_worker(Row& row, const WorkerMetrics& set) {
    row.gauge("pgsluice_worker_clients", "Client connections of this worker, from accept on.", set.clients);
    row.age("pgsluice_worker_last_tick_age_seconds", "Time since this worker's event loop last came round.",
            set.last_tick);
    row.histogram("pgsluice_event_loop_lag_seconds", "How late this worker's timers fire.", set.loop_lag);
}

void emit(Row& row, const WorkerMetrics& set) {
    row.counter("pgsluice_accepted_total", "Client connections accepted.", set.accepted);
    row.counter("pgsluice_accept_pauses_total", "Times that accepting paused for want of descriptors or memory.",
                set.accept_pauses);
    row.counter("pgsluice_logins_total", "Clients that logged in.", set.logins);
    row.counters("pgsluice_login_failures_total", "Clients that did not get as far as ReadyForQuery.", "reason",
                 set.login_failures);
    row.counters("pgsluice_cancel_requests_total", "CancelRequests by what became of them.", "outcome", set.cancels);
}

void emit_errors(Row& row, ErrorOrigin origin, const WorkerMetrics& set) {
    row.sqlstates("pgsluice_errors_total", "Errors sent to clients, by SQLSTATE class and who made them.", origin,
                  set.errors);
}

void emit(Row& row, const RouteMetrics& set) {
    row.gauges("pgsluice_clients", "Clients that have logged in, by what they do.", "state", set.clients);
    row.counters("pgsluice_queries_total", "Statements that clients executed.", "kind", set.queries);
    row.counters("pgsluice_statements_total", "Statements that were measured, by what they do.", "kind",
                 set.statements);
    row.counter("pgsluice_transactions_total", "Transactions that ended.", set.transactions);
    row.counters("pgsluice_bytes_total", "Bytes of the protocol: in is what we read, out what we wrote.", "direction",
                 set.bytes);
    row.histogram("pgsluice_query_seconds", "From a statement's arrival to the reply that ends it.", set.query_seconds);
    row.histogram("pgsluice_transaction_seconds", "From a transaction's first statement to its end.",
                  set.transaction_seconds);
    row.histogram("pgsluice_session_seconds", "From login to disconnection.", set.session_seconds);
    row.histogram("pgsluice_wait_seconds", "From asking for a server to having one.", set.wait_seconds);
    row.counters("pgsluice_statement_cache_lookups_total",
                 "Prepared statements needed on a server: already there (hit) or prepared there (miss).", "result",
                 set.statement_cache);
    row.counters("pgsluice_timeouts_total", "Time limits that struck.", "limit", set.timeouts);
    row.counters("pgsluice_disconnects_total", "Clients that had logged in and are gone.", "reason", set.disconnects);
    row.gauges("pgsluice_pinned_clients", "Clients that keep their server for what they left there.", "reason",
               set.pinned);
    row.age("pgsluice_oldest_pin_seconds", "How long the client that has kept its server longest has kept it so far.",
            set.oldest_pin);
    row.counters("pgsluice_pins_total", "How often a client began to keep its server.", "reason", set.pins);
    row.counter("pgsluice_unparsable_total",
                "Statements refused since policies ask what they do and they cannot be parsed.", set.unparsable);
    row.counter("pgsluice_uninspected_total", "Statements too large for inspection that passed without it.",
                set.uninspected);
}

void emit(Row& row, const PoolMetrics& set) {
    row.gauges("pgsluice_servers", "Server connections.", "state", set.servers);
    row.gauge("pgsluice_waiters", "Clients that wait for a server connection.", set.waiters);
    row.highest("pgsluice_pool_size_limit", "Server connections that the pool may have, over all workers.",
                set.size_limit);
    row.age("pgsluice_oldest_waiter_seconds", "How long the client that has waited longest has waited so far.",
            set.oldest_waiter);
}

void emit(Row& row, const ServerMetrics& set) {
    row.histogram("pgsluice_server_connect_seconds", "From dialing a server to the end of the login there.",
                  set.connect_seconds);
    row.counters("pgsluice_server_connect_failures_total", "Server connections that did not come to be.", "reason",
                 set.connect_failures);
    row.counters("pgsluice_server_closes_total", "Server connections closed after their login.", "reason", set.closes);
}

void emit(Row& row, const RuleMetrics& set) {
    row.counter("pgsluice_policy_verdicts_total", "Statements that a policy rule decided.", set.verdicts);
}

void emit(Row& row, const UserMetrics& set) {
    row.gauge("pgsluice_user_clients", "Clients that have logged in.", set.clients);
    row.counter("pgsluice_user_logins_total", "Logins.", set.logins);
    row.counter("pgsluice_user_transactions_total", "Transactions that ended.", set.transactions);
    row.counter("pgsluice_user_queries_total", "Statements that clients executed.", set.queries);
    row.counter("pgsluice_user_received_bytes_total", "Bytes read from clients.", set.bytes_in);
    row.counter("pgsluice_user_sent_bytes_total", "Bytes written to clients.", set.bytes_out);
}

void emit(Row& row, const ProcessMetrics& set) {
    row.counters("pgsluice_reloads_total", "Reloads of the configuration.", "outcome", set.reloads);
    row.gauge("pgsluice_last_reload_successful", "1 where the last load of the configuration succeeded, else 0.",
              set.last_reload_succeeded);
    row.gauge("pgsluice_configuration_loaded_timestamp_seconds", "Unix time of the last successful load.",
              set.configuration_loaded_at);
    row.gauge("pgsluice_loose_secret_files", "Secret files that others than their owner can read.",
              set.loose_secret_files);
    row.counter("pgsluice_log_lines_dropped_total", "Log lines lost because the log did not take them in time.",
                set.log.dropped);
    row.counter("pgsluice_log_lines_suppressed_total", "Log lines left out by the rate limit of their event.",
                set.log.suppressed);
    row.counter("pgsluice_audit_lines_dropped_total", "Lines of the audit log that are lost.", set.audit.dropped);
    row.counter("pgsluice_audit_waits_total", "Times that a thread waited for room in the audit log's queue.",
                set.audit.waits);
}

}  // namespace pgsluice::metrics
