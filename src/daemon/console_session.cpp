#include "console_session.hpp"

#include <pgsluice/wire/sql_error.hpp>

namespace pgsluice::daemon {

ConsoleSession::ConsoleSession(Login& login)
    : login_(login),
      id_(login.worker.process().next_session()),
      key_(new_cancel_key(login.identity.protocol_minor, login.snapshot->config.peers.id)),
      connected_at_(login.worker.read_clock()),
      active_at_(connected_at_) {
    login_.worker.add_console(*this);
    login_.worker.process().cancels.add(key_.process_id, key_.secret, {login_.worker.index(), id_, false});
}

ConsoleSession::~ConsoleSession() {
    login_.worker.process().cancels.remove(key_.process_id, id_);
    login_.worker.remove_console(id_);
}

void ConsoleSession::begin_command() {
    active_at_ = login_.worker.read_clock();
    runs_ = true;
    cancelled_ = false;
}

void ConsoleSession::cancel() {
    using metrics::CancelOutcome;
    cancelled_ = runs_;
    login_.worker.metrics().worker().cancels[runs_ ? CancelOutcome::ended_wait : CancelOutcome::nothing_running].add();
}

// The coroutine that serves it finds the link closed.
void ConsoleSession::end() {
    Bytes farewell;
    wire::write_error(farewell, wire::fatal("57P01", "terminating connection due to administrator command"));
    login_.link->write(farewell);
    login_.link->close();
}

admin::ClientView ConsoleSession::view(std::int64_t connected_at, std::int64_t active_at) const {
    admin::ClientView view;
    view.id = number(id_);
    view.user = login_.identity.user;
    view.database = login_.identity.database;
    view.application_name = login_.identity.application_name;
    view.address = login_.address;
    view.local_port = login_.link->local_port();
    view.connected_at = connected_at;
    view.active_at = active_at;
    return view;
}

}  // namespace pgsluice::daemon
