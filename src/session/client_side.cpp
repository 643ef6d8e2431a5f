// What a client sends: one message at a time is admitted, which decides where it goes and which reply it is owed.
#include <pgsluice/protocol/asking.hpp>
#include <pgsluice/session/session.hpp>
#include <pgsluice/wire/backend_messages.hpp>

#include <algorithm>

namespace pgsluice::session {

using metrics::Disconnect;
using metrics::QueryKind;
using protocol::Asked;
using wire::FrontendTag;
using wire::TransactionStatus;

namespace {

// Messages whose text or name is looked at; the others may stream through in parts.
bool is_looked_into(FrontendTag tag) {
    switch (tag) {
        case FrontendTag::query:
        case FrontendTag::parse:
        case FrontendTag::describe:
        case FrontendTag::close:
        case FrontendTag::execute:
        case FrontendTag::function_call: return true;
        default: return false;
    }
}

// Below this a message goes on when it is whole, so that a client that is lost in the middle of one costs no server.
constexpr std::size_t whole_limit = 8192;

bool is_about_statements(FrontendTag tag) {
    return tag == FrontendTag::parse || tag == FrontendTag::bind || tag == FrontendTag::describe ||
           tag == FrontendTag::close;
}

// Well below what is looked at before anything is admitted: see has_too_many_replies_waiting().
constexpr std::size_t most_owed_plainly = 1024;

// A message that is held is counted when it comes again.
std::size_t counted(std::uint64_t& messages, std::size_t taken) {
    if (taken > 0) ++messages;
    return taken;
}

// As much of it as is there.
ByteView query_text(const wire::Frame& frame, ByteView rest) {
    return wire::statement_text(FrontendTag::query, wire::body_of(rest, frame));
}

// What follows a Bind as libraries write it: of the unnamed portal. Of an Execute the number of rows stands behind
// that.
constexpr ByteView describe_unnamed{"D\0\0\0\6P\0", 7};
constexpr ByteView execute_unnamed{"E\0\0\0\11\0", 6};
constexpr std::size_t execute_bytes = 10;
constexpr ByteView sync_message{"S\0\0\0\4", 5};

bool belongs_to_copy(FrontendTag tag) {
    return tag == FrontendTag::copy_data || tag == FrontendTag::copy_done || tag == FrontendTag::copy_fail;
}

}  // namespace

// As much of the message as is there goes to the server; what follows goes after it.
std::size_t Session::pass(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server) {
    const ByteView part = prefix(rest, frame.size);
    to_server.add(part);
    client_rest_.expect(frame.size - part.size(), Rest::Goes::onward);
    return part.size();
}

std::size_t Session::drop(const wire::Frame& frame, ByteView rest) {
    const std::size_t part = std::min(frame.size, rest.size());
    client_rest_.expect(frame.size - part, Rest::Goes::nowhere);
    return part;
}

// Nothing is asked of a message that goes on with a batch but what it is.
bool Session::is_batch_plain() const {
    const protocol::Exchange& exchange = server_->exchange();
    return exchange.needs_sync() && !exchange.skipping() && !exchange.ignores_sync() && !exchange.is_opening() &&
           exchange.owes() && exchange.owed() < most_owed_plainly && asked_at_ != never && !begin_.is_open() &&
           !begin_.is_lost() && !skipping_here_ && forgetting_ == Forgetting::nothing && !pins_.any() &&
           !statements_.has_deallocating_portals();
}

// Most batches end so, and nothing but the ledger changes with it. Returns how much was taken from the front; whatever
// is not taken here is admitted by itself.
std::size_t Session::admit_end_of_batch(ByteView rest, wire::Outbox& to_server) {
    if (server_ == nullptr || measures() || !is_batch_plain()) return 0;
    protocol::Exchange& exchange = server_->exchange();
    std::size_t bytes = 0;
    if (rest.starts_with(describe_unnamed)) {
        if (statements_.has_untold(exchange))
            exchange.owe(statements_.describe_portal({}, exchange));
        else
            exchange.owe(Asked::describe_portal);
        bytes += describe_unnamed.size();
    }
    if (const ByteView here = without_prefix(rest, bytes);
        here.size() >= execute_bytes && here.starts_with(execute_unnamed)) {
        exchange.owe(Asked::execute);
        ++totals_.queries;
        metrics_.queries[QueryKind::extended_execute].add();
        bytes += execute_bytes;
    }
    if (without_prefix(rest, bytes).starts_with(sync_message)) {
        exchange.owe(Asked::sync);
        bytes += sync_message.size();
    }
    to_server.add(prefix(rest, bytes));
    return bytes;
}

std::size_t Session::admit(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server, Bytes& to_client) {
    const auto tag = static_cast<FrontendTag>(frame.tag);
    const bool is_whole = rest.size() >= frame.size;
    if (!is_whole && frame.size <= (is_looked_into(tag) ? rulebook_->limits.inspect_bytes : whole_limit)) return 0;
    if (tag == FrontendTag::terminate) {
        if (server_ != nullptr && server_->exchange().skipping() && !pool_->target().is_replication()) {
            // What breaks a COPY is an error and ends the server behind it: its answer to a Sync tells.
            protocol::Asking(to_server.join(), server_->exchange(), protocol::Fate::swallow).sync();
        }
        // What neither Sync nor Flush has followed is rolled back, and its answers are not sent.
        const bool has_asked =
            server_ != nullptr && (server_->exchange().owes_ready() || server_->exchange().is_flushed());
        // A stream of changes has no end to wait for.
        const bool is_held =
            has_asked && !pool_->target().is_replication() && hold_until_answered(to_server, Pause::ahead);
        if (is_held) return 0;
        send(to_server, to_client);
        end(Disconnect::client_left);
        return rest.size();
    }
    if (tag == FrontendTag::password) {
        if (hold_until_answered(to_server)) return 0;
        const auto error = wire::fatal("08P01", "invalid frontend message type 112");
        send(to_server, to_client);
        end(Disconnect::protocol_violation, &error);
        return rest.size();
    }
    if (measures() && measured_->calls.wait_for_result() && hold_until_answered(to_server)) return 0;
    if (skipping_here_ && tag != FrontendTag::sync) return drop(frame, rest);
    if (server_ != nullptr && server_->exchange().owes_ready() && waits_for_ready(tag, to_server)) return 0;
    const bool is_bare = tag == FrontendTag::sync || tag == FrontendTag::flush;
    if (is_bare && frame.size != wire::header_bytes) return refuse_malformed(frame, rest, to_server, to_client);
    if (server_ == nullptr) {
        if (const std::size_t taken = admit_without_server(frame, rest, to_client)) return taken;
        if (phase_ == Phase::ended) return rest.size();
    } else if (server_->exchange().skipping() && tag != FrontendTag::sync) {
        if (is_query_behind_lost_begin(tag)) owes_sync_ = true;
        // The server would read and drop it.
        return drop(frame, rest);
    }
    if (measures() && holds_for_cancel(tag)) return hold_until_settled();
    if (tag == FrontendTag::query || tag == FrontendTag::parse) {
        OwnError refused;
        if (const wire::SqlError* error = front_.is_judged() ? nullptr : judge(frame, rest, refused)) {
            refuse(frame, rest, *error, to_server, to_client);
            return drop(frame, rest);
        }
        front_.note_judged();
        if (front_.replacement() != nullptr) return admit_rewritten(frame, rest, to_server, to_client);
    }
    return admit_judged(frame, rest, to_server, to_client);
}

// In statement mode the server may be taken away at any ReadyForQuery (see refuse_transaction), so no batch is sent
// before that of the one ahead is known. True: the message in front begins one, and waits. What belongs to a COPY goes
// on: it may be what the server waits for.
bool Session::waits_for_ready(FrontendTag tag, wire::Outbox& to_server) {
    if (pool_->target().settings.mode != config::PoolMode::statement) return false;
    if (tag == FrontendTag::flush || belongs_to_copy(tag)) return false;
    return server_->exchange().begins_behind_batch() && hold_until_answered(to_server);
}

std::size_t Session::admit_judged(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server, Bytes& to_client) {
    const auto tag = static_cast<FrontendTag>(frame.tag);
    if (tag == FrontendTag::query && front_.waits_for_turns()) {
        OwnError refused;
        const Entry entry = take_turn_of_query(query_text(frame, rest), to_server, refused);
        if (entry == Entry::held) return 0;
        if (entry == Entry::refused) {
            refuse(frame, rest, *refused, to_server, to_client);
            return drop(frame, rest);
        }
    }
    if ((tag == FrontendTag::query || tag == FrontendTag::parse) && !front_.is_noted()) {
        OwnError refused;
        if (const wire::SqlError* error = judge_effect(frame, rest, refused)) {
            refuse(frame, rest, *error, to_server, to_client);
            return drop(frame, rest);
        }
        front_.note_effect();
    }
    if (server_ == nullptr) {
        if (answer_here(frame, rest, to_client)) return drop(frame, rest);
        if (!take_server()) return 0;
        begin_lease(to_server);
        if (awaits_replay_) return 0;
    }
    if (!open_transaction(to_server)) return hold_until_settled();
    const std::size_t taken = admit_to_server(frame, rest, to_server);
    if (taken > 0) begin_is_alone_ = false;
    return taken;
}

std::size_t Session::admit_to_server(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server) {
    const auto tag = static_cast<FrontendTag>(frame.tag);
    protocol::Exchange& exchange = server_->exchange();
    // Flush, and what is left of a COPY, begin nothing on a server that is at rest.
    const bool begins = tag != FrontendTag::flush && !belongs_to_copy(tag) && !skipping_here_;
    if (begins && busy_since_ == never) busy_since_ = active_at_;
    if (forgetting_ != Forgetting::nothing && is_about_statements(tag)) {
        if (hold_until_answered(to_server)) return 0;
        const bool is_over = exchange.at_rest() && exchange.status() == TransactionStatus::idle;
        if (is_over || forgetting_ == Forgetting::until_answered) forgetting_ = Forgetting::nothing;
    }
    if (begins && pins_.any()) note_use_while_pinned();
    // What restores the settings is owed before it, but not to the client.
    if (begins && (asked_at_ == never || !exchange.owes())) asked_at_ = active_at_;
    switch (tag) {
        case FrontendTag::query: return admit_query(frame, rest, to_server);
        case FrontendTag::parse: return counted(totals_.client_parses, admit_parse(frame, rest, to_server));
        case FrontendTag::bind: return counted(totals_.binds, admit_bind(frame, rest, to_server));
        case FrontendTag::describe: return admit_describe(frame, rest, to_server);
        case FrontendTag::close: return admit_close(frame, rest, to_server);
        case FrontendTag::sync: return admit_sync(frame, rest, to_server);
        case FrontendTag::execute: return admit_execute(frame, rest, to_server);
        case FrontendTag::function_call:
            ++totals_.queries;
            metrics_.queries[QueryKind::function_call].add();
            if (preserves_state()) note_function_call(wire::body_of(rest, frame), rest.size() >= frame.size);
            exchange.owe(Asked::function_call);
            break;
        case FrontendTag::copy_done:
        case FrontendTag::copy_fail: exchange.owe(Asked::copy_end); break;
        case FrontendTag::copy_data: return admit_copy_data(frame, rest, to_server);
        case FrontendTag::flush: exchange.note_flush(); break;
        default: break;
    }
    return pass(frame, rest, to_server);
}

// A Sync or Flush that carries a body. PostgreSQL reports it and answers a Sync all the same.
std::size_t Session::refuse_malformed(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server,
                                      Bytes& to_client) {
    const auto error = wire::error("08P01", "invalid message format");
    const bool is_sync = static_cast<FrontendTag>(frame.tag) == FrontendTag::sync;
    // A COPY that reads looks at nothing of a Flush but its type.
    if (!is_sync && server_ != nullptr && server_->exchange().ignores_sync()) return drop(frame, rest);
    const bool is_here = server_ == nullptr ||
                         (server_->exchange().at_rest() && server_->exchange().status() == TransactionStatus::idle);
    if (!is_here && is_sync && !server_->exchange().at_rest()) return admit_sync(frame, rest, to_server);
    if (!is_here) {
        if (!server_->exchange().skipping()) refuse_in_place(error, false, to_server);
        if (is_sync) protocol::Asking(to_server.join(), server_->exchange(), protocol::Fate::forward).sync();
        return drop(frame, rest);
    }
    refuse_here(frame, rest, error, to_client);
    if (is_sync) {
        skipping_here_ = false;
        wire::write_ready_for_query(to_client, begin_.status());
    }
    return drop(frame, rest);
}

// What a client without a server can be answered at once, whatever it is. Nothing is owed to such a client, and no
// server knows of its transaction.
std::size_t Session::admit_without_server(const wire::Frame& frame, ByteView rest, Bytes& to_client) {
    const auto tag = static_cast<FrontendTag>(frame.tag);
    // PostgreSQL ignores what arrives of a COPY after it has failed.
    if (belongs_to_copy(tag) || tag == FrontendTag::flush) return drop(frame, rest);
    if (tag == FrontendTag::sync) {
        skipping_here_ = false;
        wire::write_ready_for_query(to_client, begin_.status());
        return drop(frame, rest);
    }
    if (refusal_ != nullptr) {
        const auto refusal = std::move(refusal_);
        front_.forget();
        if (!begin_.is_open()) busy_since_ = never;
        refuse_here(frame, rest, *refusal, to_client);
        return drop(frame, rest);
    }
    if (tag == FrontendTag::close && statements_.translates()) {
        const auto target = wire::read_target(wire::body_of(rest, frame));
        if (target && target->kind == 'S') {
            statements_.close_unsent(target->name);
            wire::write_empty(to_client, wire::BackendTag::close_complete);
            return drop(frame, rest);
        }
    }
    return 0;
}

std::size_t Session::admit_query(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server) {
    // A failure in the batch that is open makes the server skip it, and the unnamed statement stays.
    if (server_->exchange().may_skip() && statements_.has_unnamed() && hold_until_answered(to_server)) return 0;
    const bool is_whole = rest.size() >= frame.size;
    std::optional<std::string> deallocated;
    std::vector<PreparedStatements::Mentioned> spoken_of;
    if (statements_.has_names() && is_whole) {
        const ByteView text = query_text(frame, rest);
        deallocated = statements_.deallocated_by(text);
        if (!deallocated) spoken_of = statements_.spoken_of_by(text, dialect_.reading());
    }
    if ((deallocated || !spoken_of.empty()) && hold_until_answered(to_server)) return 0;
    OwnError refused;
    const bool has_lent =
        !spoken_of.empty() && lend_names_to_query(query_text(frame, rest), spoken_of, to_server, refused);
    if (refused) {
        forget_unnamed();
        refuse_in_place(*refused, true, to_server);
        return drop(frame, rest);
    }
    ++totals_.queries;
    metrics_.queries[QueryKind::simple].add();
    if (deallocated && server_->exchange().status() != TransactionStatus::failed) {
        forget_unnamed();
        statements_.deallocate(*deallocated, *server_, to_server);
        forgetting_ = std::max(forgetting_, Forgetting::until_answered);
        return drop(frame, rest);
    }
    // PostgreSQL destroys the unnamed statement when it has read a Query, which it refuses to where it is malformed.
    const bool is_malformed = statements_.has_unnamed() && is_whole && !wire::read_query(wire::body_of(rest, frame));
    if (!is_malformed) forget_unnamed();
    if (measures())
        server_->exchange().owe_call(Asked::query, begin_query(query_text(frame, rest)));
    else
        server_->exchange().owe(Asked::query);
    const std::size_t passed = pass(frame, rest, to_server);
    if (has_lent) PreparedStatements::take_names_back(spoken_of, *server_, to_server);
    return passed;
}

std::size_t Session::admit_copy_data(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server) {
    const std::size_t part = pass(frame, rest, to_server);
    const std::size_t run = wire::run_of_frontend(without_prefix(rest, part), frame.tag);
    to_server.add(prefix(without_prefix(rest, part), run));
    return part + run;
}

std::size_t Session::admit_sync(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server) {
    protocol::Exchange& exchange = server_->exchange();
    if (skipping_here_) {
        skipping_here_ = false;
        wire::write_ready_for_query(context_.to_client, exchange.status());
        return drop(frame, rest);
    }
    if (exchange.ignores_sync())
        exchange.note_ignored_sync();
    else
        exchange.owe(Asked::sync);
    return pass(frame, rest, to_server);
}

}  // namespace pgsluice::session
