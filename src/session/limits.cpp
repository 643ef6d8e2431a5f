// Statements that pass under the limits of a policy: what is taken when one of them is beyond its own.
#include <pgsluice/session/session.hpp>
#include <pgsluice/wire/writer.hpp>

namespace pgsluice::session {

using wire::BackendTag;
using wire::FrontendTag;

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
    if (measured_->limits.is_cancelling() && !server_->is_being_cancelled()) {
        measured_->limits.end_cancel();
        go_on_if_held();
        // Going on may have ended all of it.
        if (server_ == nullptr || !measures()) return;
    }
    const std::uint32_t running = server_->exchange().running_call();
    obey_limits(measured_->limits.look_at(running, now), running);
}

void Session::obey_limits(const StatementLimits::Order& order, std::uint32_t call) {
    if (order.beyond) context_.host.on_limit(*this, *order.beyond, measured_->calls[call].callee);
    if (order.cancels) context_.host.forward_cancel(*pool_, *server_, nullptr);
}

// A cancel request hits whatever the server is at when it comes, so nothing begins there before it has come.
bool Session::holds_for_cancel(FrontendTag tag) const {
    return measured_->limits.holds(tag) && server_ != nullptr && server_->is_being_cancelled();
}

// Whether the call whose result the server is sending has a limit.
bool Session::counts_result() const {
    return measured_->limits.counts(server_->exchange().first_call());
}

bool Session::keeps_result(BackendTag tag, std::uint64_t size) {
    const std::uint32_t call = server_->exchange().first_call();
    const auto passage = measured_->limits.pass(call, tag, size, context_.host.now());
    obey_limits(passage.order, call);
    return passage.is_kept;
}

std::optional<wire::SqlError> Session::error_of_answered() const {
    return measured_->limits.error_of_answered(server_->exchange().first_call());
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
