// What takes too long: waiting for a server, a query, a transaction, a client that does nothing.
#include <pgsluice/session/session.hpp>
#include <pgsluice/wire/backend_messages.hpp>

namespace pgsluice::session {

using metrics::Disconnect;
using metrics::TimeLimit;

namespace {

constexpr Milliseconds wait_notice_after{5000};

bool is_over(TimePoint since, Milliseconds limit, TimePoint now) {
    return limit.count() != 0 && since != never && now - since >= limit;
}

// Of the limits that keep a pool from another connection only those that are set; empty: none is.
std::string who_has_the_room(const pool::Target& target) {
    std::string limits;
    if (target.cluster.max_connections != 0) limits = "clusters.max_connections allows for the server";
    if (target.max_user_connections != 0)
        limits += (limits.empty() ? "" : ", or ") +
                  ("limits.server_connections_per_user allows for user \"" + target.user) + '"';
    return limits.empty() ? limits : "Other routes may use what " + limits + '.';
}

wire::SqlError wait_timeout(const pool::Pool& pool, TimePoint since, TimePoint now) {
    const auto waited = std::chrono::duration_cast<Milliseconds>(now - since).count();
    if (pool.is_paused()) {
        return wire::error("53300", "timed out waiting for a server connection",
                           "Route \"" + pool.target().route + "\": waited " + std::to_string(waited) +
                               " ms; an administrator has paused database \"" + pool.target().database + "\".");
    }
    if (!pool.is_full()) {
        const std::string detail = "Route \"" + pool.target().route + "\": waited " + std::to_string(waited) +
                                   " ms; it has fewer connections than pool.size, and could open no more";
        if (const wire::SqlError* refusal = pool.last_refusal())
            return wire::error("53300", "timed out waiting for a server connection",
                               detail + ": " + refusal->message + '.', refusal->hint);
        return wire::error("53300", "timed out waiting for a server connection", detail + '.',
                           who_has_the_room(pool.target()));
    }
    return wire::error("53300", "timed out waiting for a server connection",
                       "Route \"" + pool.target().route + "\": waited " + std::to_string(waited) +
                           " ms; all of its connections were in use.",
                       "Raise pool.size, or shorten the transactions that hold the connections.");
}

}  // namespace

void Session::sweep(TimePoint now) {
    const auto time_out = [&](TimeLimit limit, const wire::SqlError& error) {
        metrics_.timeouts[limit].add();
        end(Disconnect::timeout, &error);
    };
    if (waiting_) {
        const TimePoint since = waiting_since();
        if (is_over(since, pool_->target().settings.query_wait_timeout, now)) {
            metrics_.timeouts[TimeLimit::query_wait].add();
            const auto error = wait_timeout(*pool_, since, now);
            stop_waiting();
            on_refused(error);
        } else if (!told_about_wait_ && phase_ == Phase::ready && now - since >= wait_notice_after) {
            told_about_wait_ = true;
            Bytes told;
            wire::write_error(told, wire::notice("no server connection is free, the query is waiting in a queue"));
            client_->write(told);
        }
        return;
    }
    if (server_ != nullptr && settles_too_long(now)) return end_unsettled();
    if (pins_.has(protocol::Pin::unknown) && keeps_others_waiting(now)) return end_unknown();
    if (phase_ != Phase::ready) return;
    if (front_.is_queued()) go_on_if_held();
    if (measures() && server_ != nullptr) keep_to_limits(now);
    if (can_check_in() && !server_->is_being_cancelled()) return give_back_server();
    const bool owes = server_ != nullptr && server_->exchange().owes();
    // What pins it keeps the server from others as an open transaction does.
    const bool holds_server = busy_since_ != never || (keeps_to_the_end_ && server_ != nullptr);
    if (owes && is_over(asked_at_, timeouts_.query, now)) {
        time_out(TimeLimit::query, wire::fatal("57014", "canceling statement due to query timeout"));
    } else if (busy_since_ != never && is_over(busy_since_, timeouts_.transaction, now)) {
        time_out(TimeLimit::transaction, wire::fatal("25P04", "terminating connection due to transaction timeout"));
    } else if (holds_server && !owes && is_over(active_at_, timeouts_.idle_transaction, now)) {
        time_out(TimeLimit::idle_transaction,
                 wire::fatal("25P03", "terminating connection due to idle-in-transaction timeout"));
    } else if (busy_since_ == never && is_over(active_at_, timeouts_.client_idle, now)) {
        time_out(TimeLimit::client_idle, wire::fatal("57P05", "terminating connection due to idle-session timeout"));
    }
}

}  // namespace pgsluice::session
