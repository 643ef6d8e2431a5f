#include <pgsluice/protocol/unsent_begin.hpp>
#include <pgsluice/wire/frontend_messages.hpp>

namespace pgsluice::protocol {

using wire::FrontendTag;
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
    wire::write_parse(to_server, "", has_failed ? ByteView("begin") : ByteView(text_), wire::no_parameter_types);
    exchange.owe({Asked::parse, Fate::open});
    wire::write_bind(to_server, "", "", {});
    exchange.owe({Asked::bind, Fate::open});
    wire::write_execute(to_server, "", 0);
    exchange.owe({Asked::execute, Fate::open});
    wire::write_target(to_server, FrontendTag::close, 'P', "");
    exchange.owe({Asked::close, Fate::open});
    if (has_failed) {
        wire::write_query(to_server, refused_text);
        exchange.owe({Asked::query, Fate::open});
    }
    was_sent_failed_ = has_failed;
    state_ = State::none;
}

}  // namespace pgsluice::protocol
