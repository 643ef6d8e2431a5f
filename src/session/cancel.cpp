// A CancelRequest with the session's key. It ends what the client waits for, in the server or here, and nothing of
// ours.
#include <pgsluice/session/session.hpp>

namespace pgsluice::session {

using metrics::CancelOutcome;

void Session::cancel(CancelToken token) {
    if (waiting_) {
        context_.metrics.cancels[CancelOutcome::ended_wait].add();
        stop_waiting();
        on_refused(wire::error("57014", "canceling statement due to user request"));
    } else if (front_.is_queued() && measured_->calls.empty()) {
        context_.metrics.cancels[CancelOutcome::ended_wait].add();
        front_.turn().cancel();
        go_on_if_held();
    } else if (is_restored_for_a_message()) {
        held_cancels_.push_back(std::move(token));
    } else {
        pass_on_cancel(std::move(token));
    }
}

// What the client has sent stands behind what restores its settings. Without a message there is nothing to cancel.
bool Session::is_restored_for_a_message() const {
    if (server_ == nullptr || inspecting_ || busy_since_ == never) return false;
    return awaits_replay_ || server_->exchange().is_replaying();
}

void Session::pass_on_cancel(CancelToken token) {
    const bool is_running =
        server_ != nullptr && !inspecting_ && !server_->exchange().is_replaying() && !server_->exchange().at_rest();
    if (!is_running) {
        context_.metrics.cancels[CancelOutcome::nothing_running].add();
        return;
    }
    context_.metrics.cancels[CancelOutcome::forwarded].add();
    context_.host.forward_cancel(*pool_, *server_, std::move(token));
}

// Those that would have struck what restores the settings, when the server has done that and been sent the message.
void Session::pass_on_cancels() {
    if (held_cancels_.empty() || is_restored_for_a_message()) return;
    for (CancelToken& token : std::exchange(held_cancels_, {})) pass_on_cancel(std::move(token));
}

}  // namespace pgsluice::session
