// pool.lazy_begin: a BEGIN by itself takes no server (protocol/unsent_begin.hpp, ADR 17). A client that thinks between
// BEGIN and its first statement keeps nobody waiting, and the round trip for BEGIN is saved.
#include <pgsluice/protocol/asking.hpp>
#include <pgsluice/session/session.hpp>
#include <pgsluice/sql/transaction_control.hpp>
#include <pgsluice/wire/backend_messages.hpp>

namespace pgsluice::session {

using sql::TransactionControl;
using wire::FrontendTag;
using wire::TransactionStatus;

namespace {

ByteView command_of(TransactionControl control, bool has_failed) {
    switch (control) {
        case TransactionControl::begin: return "BEGIN";
        case TransactionControl::start_transaction: return "START TRANSACTION";
        case TransactionControl::commit: return has_failed ? "ROLLBACK" : "COMMIT";
        case TransactionControl::rollback: return "ROLLBACK";
        case TransactionControl::none: break;
    }
    return {};
}

}  // namespace

// A Query of a client without a server that begins a transaction, or ends one that no server knows of. Whatever else a
// client says in such a transaction is a server's to answer.
bool Session::answer_here(const wire::Frame& frame, ByteView rest, Bytes& to_client) {
    const config::Pool& settings = pool_->target().settings;
    const bool begins = !begin_.is_open();
    if (begins && (!settings.lazy_begin || settings.mode != config::PoolMode::transaction)) return false;
    if (static_cast<FrontendTag>(frame.tag) != FrontendTag::query || rest.size() < frame.size) return false;
    // Its NUL is the last byte; a NUL before it is in no such statement.
    ByteView text = wire::body_of(rest, frame);
    if (text.empty() || text.back() != '\0') return false;
    text.remove_suffix(1);
    const TransactionControl control = sql::transaction_control(text);
    if (control == TransactionControl::none) return false;
    const bool is_beginning = control == TransactionControl::begin || control == TransactionControl::start_transaction;
    if (is_beginning != begins) return false;

    transaction_unsettled_ = false;  // no server has been sent anything
    ++totals_.queries;
    metrics_.queries[metrics::QueryKind::simple].add();
    statements_.forget_unnamed();
    wire::write_command_complete(to_client, command_of(control, begin_.has_failed()));
    if (begins) {
        begin_.begin(text);
        if (busy_since_ == never) busy_since_ = active_at_;
    } else {
        begin_.end();
        note_transaction(active_at_);
        busy_since_ = never;
    }
    wire::write_ready_for_query(to_client, begin_.status());
    return true;
}

// Ahead of the client's first statement. False: that went out with BEGIN, and what comes now waits until it is known
// whether the transaction is open.
bool Session::open_transaction(wire::Outbox& to_server) {
    protocol::Exchange& exchange = server_->exchange();
    if (begin_.is_lost()) return exchange.skipping();
    if (begin_.is_open()) {
        begin_.send(to_server.join(), exchange);
        begin_is_alone_ = true;
        server_->unnamed().reset();
    }
    return !exchange.is_opening() || !exchange.is_past_opening();
}

// The server has refused BEGIN, and skips what came behind it to the next Sync. A simple Query has none.
void Session::lose_begin() {
    begin_.lose();
    if (server_->exchange().skipping() && server_->exchange().is_past_opening()) owes_sync_ = true;
    answer_lost_query();
}

// A BEGIN that was to fail anyway, so the client has been told, and what it sent behind it waits. It is sent again with
// that.
bool Session::try_begin_again() {
    begin_.fail();
    send_sync(protocol::Fate::swallow);
    return true;
}

// One that waited while BEGIN failed comes when the server skips, and is answered as if it had been sent.
bool Session::is_query_behind_lost_begin(FrontendTag tag) const {
    return begin_.is_lost() && begin_is_alone_ && (tag == FrontendTag::query || tag == FrontendTag::function_call);
}

// Not into the middle of a message that is still being sent.
void Session::answer_lost_query() {
    if (!owes_sync_ || client_rest_.is_due()) return;
    owes_sync_ = false;
    send_sync(protocol::Fate::forward);
}

void Session::send_sync(protocol::Fate fate) {
    Bytes sync;
    protocol::Asking(sync, server_->exchange(), fate).sync();
    metrics_.bytes[metrics::Direction::server_out].add(sync.size());
    server_->link().write(sync);
}

// The ReadyForQuery behind that. To the client a statement in its transaction has failed.
void Session::fail_begin(wire::Outbox& to_client) {
    begin_.fail();
    asked_at_ = never;
    active_at_ = context_.host.now();
    wire::write_ready_for_query(to_client.join(), TransactionStatus::failed);
}

}  // namespace pgsluice::session
