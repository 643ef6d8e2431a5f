// Statements that pass under the limits of a policy: what is taken when one of them is beyond its own.
#include <pgsluice/session/session.hpp>
#include <pgsluice/wire/writer.hpp>

namespace pgsluice::session {

using wire::BackendTag;
using wire::FrontendTag;

namespace {

// A cancel request that comes when the server is not at the statement yet, or no more, does nothing.
constexpr Milliseconds cancel_again_after{1000};

std::optional<wire::SqlError> error_of(const Call& call) {
    if (call.excess == Excess::none) return std::nullopt;
    const policy::Limit& limit = *call.callee.limit;
    const auto beyond = [&](const char* key, std::uint64_t most) {
        return wire::error("54000", "result is larger than policy \"" + limit.rule + "\" allows",
                           std::string(key) + " is " + std::to_string(most) + '.');
    };
    if (call.excess == Excess::rows) return beyond("max_rows", limit.bounds.max_rows);
    if (call.excess == Excess::bytes) return beyond("max_bytes", limit.bounds.max_bytes);
    return wire::error("57014", "canceling statement due to policy \"" + limit.rule + '"',
                       "It has run for max_duration, " + std::to_string(limit.bounds.max_duration.count()) + " ms.");
}

LimitKind limit_of(Excess excess) {
    if (excess == Excess::rows) return LimitKind::max_rows;
    return excess == Excess::bytes ? LimitKind::max_bytes : LimitKind::max_duration;
}

}  // namespace

// Of the statement in front.
void Session::note_limit(const policy::Verdict& verdict) {
    using LimitRef = std::shared_ptr<const policy::Limit>;
    front_.put_under(verdict.limit == nullptr ? nullptr : LimitRef(rulebook_, verdict.limit));
}

// What runs is known only when it is known what has become of the batches before. True: wait for that, where limits
// depend on it.
bool Session::waits_to_know_names(wire::Outbox& to_server) {
    return rules_.may_limit() && server_->exchange().owes_ready() && hold_until_answered(to_server);
}

wire::SqlError Session::error_of_unknown(ByteView portal) {
    return wire::error(
        "54000", "it is not known what portal \"" + std::string(portal) + "\" runs",
        "Limits of policies apply to this connection, and they depend on it.",
        "Give portals and statements names of their own, and close them; use FETCH for cursors and EXECUTE "
        "for what PREPARE has made.");
}

// The server is made to answer it when it is done with it, though more of its batch may follow.
std::size_t Session::pass_limited(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server) {
    const std::size_t passed = pass(frame, rest, to_server);
    if (client_rest_.is_due()) return passed;
    wire::write_empty(to_server.join(), FrontendTag::flush);
    server_->exchange().note_flush();
    return passed;
}

// Time goes on while nothing is sent.
void Session::keep_to_limits(TimePoint now) {
    if (cancels_call_ && !server_->is_being_cancelled()) {
        cancels_call_ = false;
        go_on_if_held();
        if (server_ == nullptr) return;
    }
    const std::uint32_t number = server_->exchange().running_call();
    if (number == 0) return;
    Call& call = (*calls_)[number];
    if (call.callee.limit == nullptr) return;
    const Milliseconds most = call.callee.limit->bounds.max_duration;
    if (call.excess != Excess::none) {
        if (!cancels_call_ && now - call.cancelled_at >= cancel_again_after) cancel_call(call, now);
    } else if (most.count() > 0 && now - calls_->began_at(number) >= most) {
        cut_off(call, Excess::duration, now);
    }
}

void Session::cut_off(Call& call, Excess excess, TimePoint now) {
    const bool is_cancelled = call.excess != Excess::none;
    call.excess = excess;
    context_.host.on_limit(*this, limit_of(excess), call.callee);
    if (!is_cancelled) cancel_call(call, now);
}

void Session::cancel_call(Call& call, TimePoint now) {
    call.cancelled_at = now;
    cancels_call_ = true;
    context_.host.forward_cancel(*pool_, *server_, nullptr);
}

// A cancel request hits whatever the server is at when it comes, so nothing begins there before it has come.
bool Session::holds_for_cancel(FrontendTag tag) {
    if (server_ == nullptr || !server_->is_being_cancelled()) return false;
    switch (tag) {
        case FrontendTag::query:
        case FrontendTag::parse:
        case FrontendTag::bind:
        case FrontendTag::execute:
        case FrontendTag::function_call: return true;
        default: return false;
    }
}

// The call whose result the server is sending, where it has a limit.
Call* Session::counted_call() {
    const std::uint32_t number = server_->exchange().first_call();
    if (number == 0) return nullptr;
    Call& call = (*calls_)[number];
    return call.callee.is_counted ? &call : nullptr;
}

// Whether the message goes on to the client. Behind the first that does not, nothing of the result does.
bool Session::keeps_result(Call& call, BackendTag tag, std::uint64_t size) {
    if (tag == BackendTag::error_response) {  // too long to be looked into
        call.failed = true;
        return true;
    }
    const bool is_beyond = call.excess == Excess::rows || call.excess == Excess::bytes;
    if (is_beyond || (tag != BackendTag::data_row && tag != BackendTag::copy_data)) return !is_beyond;
    const config::PolicyLimit& most = call.callee.limit->bounds;
    const bool has_too_many = most.max_rows > 0 && call.kept_rows + 1 > most.max_rows;
    const bool is_too_long = most.max_bytes > 0 && call.kept_bytes + size > most.max_bytes;
    if (!has_too_many && !is_too_long) {
        ++call.kept_rows;
        call.kept_bytes += size;
        return true;
    }
    cut_off(call, has_too_many ? Excess::rows : Excess::bytes, context_.host.now());
    return false;
}

// What the client is told in the place of the server's error; nullopt: the error is the server's own.
std::optional<wire::SqlError> Session::error_of_limit(ByteView sqlstate) const {
    const std::uint32_t number = server_->exchange().running_call();
    if (number == 0 || sqlstate != "57014") return std::nullopt;
    return error_of((*calls_)[number]);
}

// What it is told where the server has answered in full a call whose result was cut off, and has not failed it.
std::optional<wire::SqlError> Session::error_of_answered() const {
    const std::uint32_t number = server_->exchange().first_call();
    if (number == 0) return std::nullopt;
    const Call& call = (*calls_)[number];
    return call.failed || call.excess == Excess::duration ? std::nullopt : error_of(call);
}

void Session::tell_of_excess(const wire::SqlError& error, wire::Outbox& to_client) {
    context_.metrics.errors.count(metrics::ErrorOrigin::pgsluice, error.code());
    wire::write_error(to_client.join(), error);
}

// The server is done with the call and knows of no error. It is given a statement that fails, so that the transaction
// does. Nothing has been sent behind the call: see Calls::wait_for_result.
void Session::fail_behind(const wire::SqlError& error, bool is_query) {
    wire::Outbox to_server(context_.to_server);
    refuse_in_place(error, is_query, to_server);
    if (!is_query) wire::write_empty(to_server.join(), FrontendTag::flush);
    if (!is_query) server_->exchange().note_flush();
    metrics_.bytes[metrics::Direction::server_out].add(to_server.view().size());
    server_->link().write(to_server.view());
}

}  // namespace pgsluice::session
