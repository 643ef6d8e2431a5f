#include <pgsluice/protocol/asking.hpp>
#include <pgsluice/protocol/unsent_begin.hpp>

namespace pgsluice::protocol {

using wire::TransactionStatus;

TransactionStatus UnsentBegin::status() const {
    switch (state_) {
        case State::open: return TransactionStatus::in_transaction;
        case State::failed: return TransactionStatus::failed;
        case State::none:
        case State::lost: break;
    }
    return TransactionStatus::idle;
}

void UnsentBegin::begin(ByteView text) {
    text_ = text;
    state_ = State::open;
}

void UnsentBegin::send(Bytes& to_server, Exchange& exchange) {
    // The client's own Query BEGIN has destroyed its unnamed statement, and a portal of ours must not be seen. Modes
    // matter to nothing in a transaction that has failed, and may be what the server has refused.
    const bool has_failed = state_ == State::failed;
    Asking opening(to_server, exchange, Fate::open);
    opening.parse("", has_failed ? ByteView("begin") : ByteView(text_));
    opening.run("");
    opening.close_portal("");
    if (has_failed) opening.query(refused_text);
    was_sent_failed_ = has_failed;
    state_ = State::none;
}

}  // namespace pgsluice::protocol
