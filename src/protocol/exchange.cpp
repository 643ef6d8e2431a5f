#include <pgsluice/protocol/exchange.hpp>
#include <pgsluice/wire/backend_messages.hpp>

namespace pgsluice::protocol {

using wire::BackendTag;

namespace {

bool ends_batch(Asked asked) {
    return asked == Asked::query || asked == Asked::function_call || asked == Asked::sync;
}

}  // namespace

void Exchange::owe(Owed owed) {
    Owed* const entry = enter(owed.asked);
    if (entry == nullptr) return;
    owed.behind_data = entry->behind_data;
    *entry = std::move(owed);
}

Owed* Exchange::enter(Asked asked) {
    if (asked == Asked::copy_end) {
        copy_in_ = false;
        // A late CopyDone after the COPY has failed: the server drops it, and nothing is owed.
        if (owed_.empty()) return nullptr;
    }
    Owed& entry = owed_.add_back();
    entry.asked = asked;
    if (asked == Asked::sync) {
        skipping_ = false;
        entry.behind_data = behind_data_;
    }
    if (asked == Asked::query || asked == Asked::execute) behind_data_ = false;
    if (ends_batch(asked)) {
        ++readies_owed_;
        if (++batch_ == 0) batch_ = 1;
        open_batch_ = false;
    } else if (asked != Asked::copy_end) {
        open_batch_ = true;
    }
    return &entry;
}

Settled Exchange::settle(BackendTag tag, ByteView body, Witness& witness) {
    if (owed_.empty()) {
        // A Sync that the client sent while COPY was failing may have been read before or after the error: only the
        // server knows, and tells by this.
        if (tag == BackendTag::ready_for_query && (ignored_syncs_ > 0 || in_doubt_)) return settle_ready(body, witness);
        return Settled::lost_sync;
    }
    const Owed& head = owed_.front();
    // What the server says now can only answer a message that it was sent.
    if (head.fate == Fate::invent) return Settled::lost_sync;
    const bool runs = head.asked == Asked::query || head.asked == Asked::execute;
    const bool describes = head.asked == Asked::describe_statement || head.asked == Asked::describe_portal;
    const Settled mine = is_hidden(head.fate) ? Settled::swallow : Settled::forward;
    bool done = false;  // this message is the whole answer
    switch (tag) {
        case BackendTag::error_response: return fail(witness);
        case BackendTag::ready_for_query:
            return ends_batch(head.asked) ? settle_ready(body, witness) : Settled::lost_sync;
        case BackendTag::parse_complete:
            if (head.asked != Asked::parse) return Settled::lost_sync;
            done = true;
            break;
        case BackendTag::bind_complete:
            if (head.asked != Asked::bind) return Settled::lost_sync;
            done = true;
            break;
        case BackendTag::close_complete:
            if (head.asked != Asked::close) return Settled::lost_sync;
            done = true;
            break;
        case BackendTag::parameter_description:
            if (head.asked != Asked::describe_statement) return Settled::lost_sync;
            break;
        case BackendTag::no_data:
            if (!describes) return Settled::lost_sync;
            done = true;
            break;
        case BackendTag::row_description:
            if (!runs && !describes) return Settled::lost_sync;
            done = describes;
            break;
        case BackendTag::command_complete:
        case BackendTag::empty_query_response:
            if (!runs) return Settled::lost_sync;
            done = head.asked == Asked::execute;
            forget_ignored();
            break;
        case BackendTag::portal_suspended:
            if (head.asked != Asked::execute) return Settled::lost_sync;
            done = true;
            break;
        case BackendTag::copy_in_response:
            if (!runs) return Settled::lost_sync;
            enter_copy_in();
            break;
        case BackendTag::data_row:
        case BackendTag::copy_out_response:
        case BackendTag::copy_both_response:
        case BackendTag::copy_data:
        case BackendTag::copy_done:
            if (!runs) return Settled::lost_sync;
            break;
        case BackendTag::function_call_response:
            if (head.asked != Asked::function_call) return Settled::lost_sync;
            break;
        default: return Settled::lost_sync;
    }
    if (done) pop(witness);
    return mine;
}

Settled Exchange::settle_ready(ByteView body, Witness& witness) {
    const auto status = wire::read_ready_for_query(body);
    if (!status) return Settled::lost_sync;
    status_ = *status;
    if (owed_.empty()) {
        skipping_ = false;
        forget_ignored();
        return Settled::forward;
    }
    const Settled mine = is_hidden(owed_.front().fate) ? Settled::swallow : Settled::forward;
    pop(witness);
    --readies_owed_;
    if (++answering_ == 0) answering_ = 1;
    if (owed_.empty()) {
        forget_ignored();
        is_abandoned_ = false;
    }
    return mine;
}

// Once COPY FROM STDIN reads, the server ignores Sync until the copy's end: those sent ahead of it are owed nothing.
void Exchange::enter_copy_in() {
    for (std::size_t i = 1; i < owed_.size();) {
        if (owed_[i].asked == Asked::copy_end) return;
        if (owed_[i].asked != Asked::sync) {
            ++i;
            continue;
        }
        count_ignored(owed_[i].behind_data);
        owed_.erase(i);
        --readies_owed_;
        // Their batch goes on behind them.
        open_batch_ = true;
    }
    copy_in_ = true;
}

Settled Exchange::fail(Witness& witness) {
    copy_in_ = false;
    in_doubt_ |= perhaps_unread_;
    Owed& head = owed_.front();
    Settled mine = Settled::forward;
    if (head.fate == Fate::substitute) {
        substituted_ = std::move(head.text->error);
        mine = Settled::substitute;
    } else if (head.fate == Fate::restore) {
        mine = Settled::replay_failed;
    } else if (is_abandoned_) {
        mine = Settled::swallow;
    }
    // Only extended messages make the server skip; a Query's or FunctionCall's own ReadyForQuery follows its error, and
    // so does that of a Sync whose commit failed.
    if (ends_batch(head.asked)) return mine;
    std::size_t skipped = 0;
    while (skipped < owed_.size() && owed_[skipped].asked != Asked::sync) ++skipped;
    for (std::size_t i = skipped; i-- > 0;) witness.on_dropped(owed_[i]);
    for (; skipped > 0; --skipped) {
        // A Query inside a failed pipeline is skipped like the rest and gets no ReadyForQuery of its own.
        if (!ends_batch(owed_.pop_front().asked)) continue;
        --readies_owed_;
        if (++answering_ == 0) answering_ = 1;
    }
    skipping_ = owed_.empty();
    return mine;
}

void Exchange::abandon() {
    for (std::size_t i = 0; i < owed_.size();) {
        Owed& owed = owed_[i];
        if (owed.fate == Fate::invent) {
            owed_.erase(i);
            continue;
        }
        if (owed.fate == Fate::forward) owed.fate = Fate::swallow;
        ++i;
    }
    is_abandoned_ = !at_rest();
}

void Exchange::pop(Witness& witness) {
    const Asked asked = owed_.front().asked;
    if (asked == Asked::parse) witness.on_parsed(owed_.front());
    if (asked == Asked::close) witness.on_closed(owed_.front());
    owed_.drop_front();
    settle_markers();
}

void Exchange::settle_markers() {
    while (!owed_.empty() && owed_.front().asked == Asked::copy_end) owed_.drop_front();
}

void Exchange::settle_invented(Bytes& to_client, Witness& witness) {
    while (has_invented_turn()) {
        wire::write_empty(
            to_client, owed_.front().asked == Asked::parse ? BackendTag::parse_complete : BackendTag::close_complete);
        pop(witness);
    }
}

}  // namespace pgsluice::protocol
