// The ledger of a server connection: replies still owed to its client, oldest first. Every message that is sent on to
// the server is entered; every message that the server sends settles one entry or belongs to the oldest. A reply that
// we invent (the ParseComplete of a Parse that the server need not see) queues here like any other, so it can never
// overtake a real one. Errors follow the extended protocol's rule: the server skips to the next Sync, and so does the
// ledger.
//
// Sources: PostgreSQL documentation, "Message Flow"; src/backend/tcop/postgres.c (ignore_till_sync), copyfromparse.c
// (Flush and Sync are ignored while COPY FROM STDIN reads).
#pragma once

#include <pgsluice/base/ring.hpp>
#include <pgsluice/protocol/statement.hpp>
#include <pgsluice/wire/sql_error.hpp>
#include <pgsluice/wire/tags.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace pgsluice::protocol {

// The message that a reply is owed for.
enum class Asked : std::uint8_t {
    query,
    function_call,
    parse,
    bind,
    describe_statement,
    describe_portal,
    execute,
    close,
    sync,
    copy_end,  // CopyDone or CopyFail: owed nothing, it marks where the server stops ignoring Sync
    proof,     // a Close of ours that always succeeds: its CloseComplete proves that nothing before it is unread
};

enum class Fate : std::uint8_t {
    forward,     // the server's reply goes to the client
    swallow,     // it answers something that we sent on our own; an error still fails the client's batch
    restore,     // it restores a session's settings: swallowed too, and its failure is never overlooked
    take_back,   // likewise, what another client has set there: if that fails it is the server's fault
    inspect,     // it answers what we asked for ourselves (about the session): for us, and an error is an answer too
    open,        // it opens the transaction that the client believes open: swallowed, and see Settled::not_opened
    invent,      // the server was never asked: the reply is ours
    substitute,  // the server was given a statement that fails; its error is replaced by ours
};

// What a server is given to refuse in the place of something else: its parser does, whatever the transaction's state,
// so the transaction fails and the pipeline is skipped by its own rules.
constexpr ByteView refused_text = "refused by pgsluice";

struct OwedText {
    wire::SqlError error;  // substitute
    // parse, bind, close, describe_*: the client's name of the statement, where an error has to be told by it or what
    // becomes of the name followed; query, execute: the one that it deallocates
    std::string name;
    // describe_*, close: what the name stood for, and what the client had been told of it
    StatementRef known{};
    DescriptionRef told{};
};

struct Owed {
    Asked asked = Asked::query;
    Fate fate = Fate::forward;
    // parse, close; describe_statement, describe_portal: what the answer tells of, where it is to be kept
    StatementRef statement{};
    bool unnamed = false;    // parse, close: of the server's unnamed statement
    std::uint32_t call = 0;  // query, execute: the number by which its session measures it; 0: it does not
    std::unique_ptr<OwedText> text{};
};

enum class Settled : std::uint8_t {
    forward,
    swallow,
    substitute,      // an ErrorResponse to be replaced by substituted_error()
    inspected,       // part of the answer to what we asked for ourselves
    replay_failed,   // an error inside what restores a session's settings
    not_taken_back,  // an error of what takes another client's settings back
    not_opened,      // an error of a BEGIN that the client was told had succeeded
    lost_sync,       // the server sent what nothing had asked for: its connection cannot be trusted any more
};

class Exchange {
  public:
    // Told what became of Parse and Close messages, and of a Query or Execute with a name: those that succeeded in the
    // order of the ledger, those of a failed batch newest first, so that each on_dropped undoes one step.
    class Witness {
      public:
        virtual void on_parsed(const Owed& owed) = 0;
        virtual void on_closed(const Owed& owed) = 0;
        virtual void on_deallocated(const Owed& owed) = 0;
        // A Query or Execute that is measured has come to its end, failed or not.
        virtual void on_answered(std::uint32_t call) = 0;
        // The server skipped it; or read it, and it failed.
        virtual void on_dropped(const Owed& owed, bool was_read) = 0;

      protected:
        ~Witness() = default;
    };

    // --- Towards the server: messages in the order they are sent.

    // Not to be called for what the server ignores: see skipping() and ignores_sync().
    void owe(Owed owed);
    void owe(Asked asked) { enter(asked); }
    void owe_call(Asked asked, std::uint32_t call) {
        if (Owed* entry = enter(asked)) entry->call = call;
    }
    // An extended-protocol error was reported and no Sync has been sent since: the server reads and drops everything
    // else.
    bool skipping() const { return skipping_; }
    // COPY FROM STDIN is reading: the server ignores Flush and Sync.
    bool ignores_sync() const { return copy_in_; }
    void note_ignored_sync() { ignored_sync_ = true; }

    // What the server is about to describe, where somebody wants to know; nullptr for nothing.
    const Owed* described() const {
        const bool is_described = !owed_.empty() && (owed_.front().asked == Asked::describe_statement ||
                                                     owed_.front().asked == Asked::describe_portal);
        return is_described && owed_.front().statement != nullptr ? &owed_.front() : nullptr;
    }

    // A Flush is behind all that is owed: the server holds no answer back.
    bool is_flushed() const { return flushed_; }
    void note_flush() { flushed_ = true; }

    // A transaction is being opened that the client believes open (Fate::open).
    bool is_opening() const { return opening_ > 0; }
    // And the batch has ended that began with it: what is sent now would run by itself if there were no transaction.
    bool is_past_opening() const { return batch_ != opening_batch_; }

    // The client has gone: whatever is owed to it is swallowed when it comes.
    void abandon();
    // A batch is open and the server waits for its Sync.
    bool needs_sync() const { return open_batch_ || skipping_; }
    // What is sent now may be skipped, with or without an end of its own: something extended is unanswered that no Sync
    // has followed, though perhaps a FunctionCall.
    bool may_skip() const { return skipping_ || (exposed_ && !owed_.empty()); }

    // --- From the server.

    // `body` is needed for ReadyForQuery only. Asynchronous messages (N, S, A) are not for the ledger.
    Settled settle(wire::BackendTag tag, ByteView body, Witness& witness);
    // RowDescription, DataRow and CopyData are the client's, and would change nothing here.
    bool passes_results() const {
        if (owed_.empty()) return false;
        const Owed& head = owed_.front();
        return head.fate == Fate::forward && (head.asked == Asked::query || head.asked == Asked::execute);
    }
    // Settles what stands in front and is the client's, each message the whole answer to its own: ParseComplete,
    // BindComplete, CloseComplete, and what Describe is answered by. Returns their bytes; settle() judges the rest.
    std::size_t settle_acknowledgements(ByteView rest, Witness& witness);
    const wire::SqlError& substituted_error() const { return substituted_; }
    // Appends the invented replies whose turn has come.
    void settle_invented(Bytes& to_client, Witness& witness) {
        if (has_invented_turn()) write_invented(to_client, witness);
    }
    bool has_invented_turn() const { return !owed_.empty() && owed_.front().fate == Fate::invent; }

    // --- What is known.

    wire::TransactionStatus status() const { return status_; }
    // Nothing is owed, and the last message sent was one that ends a batch: the last ReadyForQuery tells the whole
    // truth.
    // Not where a COPY failed and a Sync may have stood unread then (a trigger fails it before anything is read): it is
    // answered by a ReadyForQuery that the next client would take for an own one. See needs_proof().
    bool at_rest() const { return owed_.empty() && !open_batch_ && !skipping_ && !in_doubt_; }
    bool owes() const { return !owed_.empty(); }
    std::size_t owed() const { return owed_.size(); }
    // The client's name of the statement that the oldest message is about, where it is known.
    ByteView named_first() const {
        return owed_.empty() || owed_.front().text == nullptr ? ByteView() : ByteView(owed_.front().text->name);
    }
    // The call that the oldest message is; 0 for none.
    std::uint32_t first_call() const { return owed_.empty() ? 0 : owed_.front().call; }
    // The call that the server is at: nothing is unanswered before it but what takes no time. 0 where none is.
    std::uint32_t running_call() const;
    // What the oldest message is, of which there must be one.
    Asked first_asked() const { return owed_.front().asked; }
    bool owes_ready() const { return readies_owed_ > 0; }
    // What is sent now begins a batch, and the ReadyForQuery of one of the client's before it is due: not only those of
    // what we sent on our own.
    bool begins_behind_batch() const;
    // Something may have run behind the last ReadyForQuery. A setting that has changed by it is reported in front of
    // the next one and not before (PostgreSQL 14 and later), however long its answer has been here.
    bool has_reports_due() const { return reports_due_; }
    // Nothing is owed that is known of, yet a ReadyForQuery may still come: append_sync_proof() (sync_proof.hpp) finds
    // out.
    bool needs_proof() const { return in_doubt_ && owed_.empty() && !open_batch_ && !skipping_; }
    // Replies of ours that wait for their turn behind a server's: at most owed(). Nothing of them is sent, so no full
    // socket stops whoever causes them: who admits messages has to.
    std::size_t invented() const { return invented_; }
    // The server is answering what restores a session's settings: nothing of it is for the client, notices included.
    bool is_replaying() const {
        if (owed_.empty()) return false;
        return owed_.front().fate == Fate::restore || owed_.front().fate == Fate::take_back;
    }
    // The server is answering what it was sent by us and not by the client.
    bool is_answering_us() const {
        const Fate fate = owed_.empty() ? Fate::forward : owed_.front().fate;
        return is_replaying() || fate == Fate::swallow || fate == Fate::open || fate == Fate::inspect;
    }
    // Something of the client's that runs is unanswered. Should it turn out to be COPY FROM STDIN, the next message
    // fails it, so that one has to reach the server: a reply to it must not be invented.
    bool may_copy() const { return readies_owed_ + executes_owed_ > 0; }
    // Number of the batch that messages sent now belong to; never 0.
    std::uint32_t batch() const { return batch_; }

  private:
    // The new entry; nullptr where nothing is owed for it.
    Owed* enter(Asked asked);
    void pop(Witness& witness);
    void settle_markers();
    void write_invented(Bytes& to_client, Witness& witness);
    void enter_copy_in();
    void finish_copy_in();
    Owed take_front();
    void uncount(const Owed& owed);
    Settled fail(Witness& witness);
    Settled settle_ready(ByteView body, Witness& witness);

    Ring<Owed> owed_;
    wire::TransactionStatus status_ = wire::TransactionStatus::idle;
    std::uint32_t batch_ = 1;
    std::uint32_t readies_owed_ = 0;
    std::uint32_t executes_owed_ = 0;
    std::uint32_t opening_ = 0;
    std::uint32_t opening_batch_ = 0;
    std::size_t invented_ = 0;
    bool open_batch_ = false;
    bool exposed_ = false;  // see may_skip()
    bool skipping_ = false;
    bool flushed_ = false;
    bool copy_in_ = false;
    bool reports_due_ = false;
    bool ignored_sync_ = false;  // one at least was sent where a COPY reads, or so it seemed
    bool in_doubt_ = false;
    bool head_is_answered_ = false;  // a Query or FunctionCall: only its ReadyForQuery is still to come
    bool is_abandoned_ = false;      // until nothing is owed
    bool reads_copy_ = false;        // what the oldest message runs is COPY FROM STDIN, and it has not ended yet
    wire::SqlError substituted_;
};

}  // namespace pgsluice::protocol
