// A transaction that a client has begun and no server knows of: BEGIN is answered at once and sent ahead of the first
// statement (ADR 17). Until then nothing is owed to the client, and no server is kept for it.
//
// BEGIN goes to the server as part of the client's own batch, so that everything behind it is skipped if it fails: the
// client's statement must never run outside of the transaction.
#pragma once

#include <pgsluice/protocol/exchange.hpp>

#include <string>

namespace pgsluice::protocol {

class UnsentBegin {
  public:
    // Told to the client, and not yet to a server.
    bool is_open() const { return state_ == State::open || state_ == State::failed; }
    bool has_failed() const { return state_ == State::failed; }
    wire::TransactionStatus status() const;

    void begin(ByteView text);
    // The client has been told of an error in it.
    void fail() { state_ = State::failed; }
    void end() { state_ = State::none; }
    // Appends BEGIN to `to_server` and its replies, all swallowed, to the ledger. Where the transaction has failed here
    // it fails there too. Nothing may be owed.
    void send(Bytes& to_server, Exchange& exchange);
    // The server has refused it. The client gets the error, and is at its next ReadyForQuery where a client is whose
    // transaction has failed.
    void lose() { state_ = State::lost; }
    bool is_lost() const { return state_ == State::lost; }
    // What was sent last was one that has failed here: the client knows that already.
    bool was_sent_failed() const { return was_sent_failed_; }

  private:
    enum class State : std::uint8_t { none, open, failed, lost };

    std::string text_;  // kept for the next one: no allocation for each transaction
    State state_ = State::none;
    bool was_sent_failed_ = false;
};

}  // namespace pgsluice::protocol
