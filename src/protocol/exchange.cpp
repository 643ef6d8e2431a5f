#include <pgsluice/protocol/exchange.hpp>
#include <pgsluice/wire/backend_messages.hpp>
#include <pgsluice/wire/frame.hpp>

#include <utility>

namespace pgsluice::protocol {

using wire::BackendTag;

namespace {

Settled outcome_of(Fate fate) {
    if (fate == Fate::inspect) return Settled::inspected;
    const bool is_ours =
        fate == Fate::swallow || fate == Fate::restore || fate == Fate::take_back || fate == Fate::open;
    return is_ours ? Settled::swallow : Settled::forward;
}

bool ends_batch(Asked asked) {
    return asked == Asked::query || asked == Asked::function_call || asked == Asked::sync;
}

// It is all that the server has to say to that message.
bool acknowledges(BackendTag tag, Asked asked) {
    switch (asked) {
        case Asked::parse: return tag == BackendTag::parse_complete;
        case Asked::bind: return tag == BackendTag::bind_complete;
        case Asked::describe_statement:
        case Asked::describe_portal: return tag == BackendTag::row_description || tag == BackendTag::no_data;
        case Asked::close:
        case Asked::proof: return tag == BackendTag::close_complete;
        default: return false;
    }
}

}  // namespace

void Exchange::owe(Owed owed) {
    if (owed.fate == Fate::open && opening_ == 0) opening_batch_ = batch_;
    Owed* const entry = enter(owed.asked);
    if (entry == nullptr) return;
    if (owed.fate == Fate::invent) ++invented_;
    if (owed.fate == Fate::open) {
        ++opening_;
        if (owed.asked == Asked::execute) --executes_owed_;  // it is no COPY
    }
    *entry = std::move(owed);
}

Owed* Exchange::enter(Asked asked) {
    // A COPY that reads ends with this, by its own end or because nothing but its data may come.
    copy_in_ = false;
    // A late CopyDone after the COPY has failed: the server drops it, and nothing is owed.
    if (asked == Asked::copy_end && owed_.empty()) return nullptr;
    Owed& entry = owed_.add_back();
    entry.asked = asked;
    flushed_ = false;
    if (asked == Asked::sync) skipping_ = exposed_ = false;
    if (asked == Asked::execute) ++executes_owed_;
    reports_due_ |= asked == Asked::execute || asked == Asked::query || asked == Asked::function_call;
    if (ends_batch(asked)) {
        ++readies_owed_;
        if (++batch_ == 0) batch_ = 1;
        open_batch_ = false;
    } else if (asked != Asked::copy_end) {
        open_batch_ = exposed_ = true;
    }
    return &entry;
}

Settled Exchange::settle(BackendTag tag, ByteView body, Witness& witness) {
    if (owed_.empty()) {
        // A Sync that the client sent while COPY was failing may have been read before or after the error: only the
        // server knows, and tells by this.
        if (tag == BackendTag::ready_for_query && in_doubt_) return settle_ready(body, witness);
        return Settled::lost_sync;
    }
    const Owed& head = owed_.front();
    if (head.asked == Asked::proof && tag == BackendTag::ready_for_query) return settle_ready(body, witness);
    // What the server says now can only answer a message that it was sent.
    if (head.fate == Fate::invent) return Settled::lost_sync;
    const Settled mine = outcome_of(head.fate);
    const bool runs = head.asked == Asked::query || head.asked == Asked::execute;
    switch (tag) {
        case BackendTag::parse_complete:
        case BackendTag::bind_complete:
        case BackendTag::close_complete:
        case BackendTag::no_data:
        case BackendTag::row_description:
            if (!acknowledges(tag, head.asked))
                return runs && tag == BackendTag::row_description ? mine : Settled::lost_sync;
            in_doubt_ &= head.asked != Asked::proof;
            pop(witness);
            return mine;
        case BackendTag::error_response: return fail(witness);
        case BackendTag::ready_for_query:
            return ends_batch(head.asked) ? settle_ready(body, witness) : Settled::lost_sync;
        case BackendTag::parameter_description:
            return head.asked == Asked::describe_statement ? mine : Settled::lost_sync;
        case BackendTag::function_call_response:
            head_is_answered_ = true;
            return head.asked == Asked::function_call ? mine : Settled::lost_sync;
        case BackendTag::command_complete:
        case BackendTag::empty_query_response:
            if (!runs) return Settled::lost_sync;
            ignored_sync_ = false;
            head_is_answered_ = true;
            if (reads_copy_) finish_copy_in();
            if (owed_.front().asked == Asked::execute) pop(witness);
            return mine;
        case BackendTag::portal_suspended:
            if (head.asked != Asked::execute) return Settled::lost_sync;
            pop(witness);
            return mine;
        case BackendTag::copy_in_response:
            if (!runs) return Settled::lost_sync;
            enter_copy_in();
            return mine;
        case BackendTag::data_row:
        case BackendTag::copy_out_response:
        case BackendTag::copy_both_response:
        case BackendTag::copy_data:
        case BackendTag::copy_done: return runs ? mine : Settled::lost_sync;
        default: return Settled::lost_sync;
    }
}

std::size_t Exchange::settle_acknowledgements(ByteView rest, Witness& witness) {
    std::size_t bytes = 0;
    while (!owed_.empty() && owed_.front().fate == Fate::forward) {
        const ByteView here = without_prefix(rest, bytes);
        const wire::Frame frame = wire::cut_backend(here);
        if (frame.cut != wire::Cut::frame || frame.size > here.size()) break;
        if (!acknowledges(static_cast<BackendTag>(frame.tag), owed_.front().asked) || described() != nullptr) break;
        pop(witness);
        bytes += frame.size;
    }
    return bytes;
}

Settled Exchange::settle_ready(ByteView body, Witness& witness) {
    const auto status = wire::read_ready_for_query(body);
    if (!status) return Settled::lost_sync;
    status_ = *status;
    const auto is_of_sync_in_doubt = [this] {
        if (owed_.empty() || owed_.front().asked == Asked::proof) return true;
        const Asked head = owed_.front().asked;
        return (head == Asked::query || head == Asked::function_call) && !head_is_answered_;
    };
    if (in_doubt_ && is_of_sync_in_doubt()) {
        // It answers a Sync that seemed to be ignored, and ends what that Sync ended.
        skipping_ = false;
        if (owed_.empty()) open_batch_ = reports_due_ = false;
        return Settled::forward;
    }
    const Settled mine = outcome_of(owed_.front().fate);
    pop(witness);
    --readies_owed_;
    reports_due_ &= may_copy();
    if (owed_.empty()) is_abandoned_ = exposed_ = false;
    return mine;
}

// Once COPY FROM STDIN reads, the server ignores Sync until the copy's end: those sent ahead of it are owed nothing.
void Exchange::enter_copy_in() {
    bool has_ended = false;
    const std::size_t ignored = owed_.erase_if([&, is_head = true](const Owed& owed) mutable {
        const bool is_copy = std::exchange(is_head, false);
        has_ended |= !is_copy && owed.asked != Asked::sync;
        return !has_ended && owed.asked == Asked::sync;
    });
    readies_owed_ -= static_cast<std::uint32_t>(ignored);
    ignored_sync_ |= ignored > 0;
    copy_in_ = !has_ended;
    reads_copy_ = true;
    if (ignored == 0) return;
    // Their batch goes on behind them, unless something else has ended it.
    std::size_t last = owed_.size() - 1;
    while (owed_[last].asked == Asked::copy_end) --last;
    open_batch_ = !ends_batch(owed_[last].asked);
}

// One that succeeds has read its own end, which must not pass for that of the next COPY in the same Query.
void Exchange::finish_copy_in() {
    reads_copy_ = false;
    if (owed_.size() < 2 || owed_[1].asked != Asked::copy_end) return;
    owed_.erase_if([position = 0](const Owed&) mutable { return position++ == 1; });
}

Settled Exchange::fail(Witness& witness) {
    copy_in_ = reads_copy_ = false;
    in_doubt_ |= std::exchange(ignored_sync_, false);
    Owed& head = owed_.front();
    Settled mine = Settled::forward;
    // The entry of a Query stays to its ReadyForQuery: a server that fails it twice has our error in the first place
    // only.
    if (head.fate == Fate::substitute && head.text != nullptr) {
        substituted_ = std::move(head.text->error);
        mine = Settled::substitute;
    } else if (head.fate == Fate::restore) {
        mine = Settled::replay_failed;
    } else if (head.fate == Fate::take_back) {
        mine = Settled::not_taken_back;
    } else if (head.fate == Fate::inspect && !is_abandoned_) {
        mine = Settled::inspected;
    } else if (head.fate == Fate::open && !is_abandoned_) {
        // A Query behind BEGIN is there to fail: the client's transaction has failed already.
        mine = ends_batch(head.asked) ? Settled::swallow : Settled::not_opened;
    } else if (is_abandoned_) {
        mine = Settled::swallow;
    }
    // Only extended messages make the server skip; a Query's or FunctionCall's own ReadyForQuery follows its error, and
    // so does that of a Sync whose commit failed.
    if (ends_batch(head.asked)) {
        head_is_answered_ = true;
        head.text.reset();  // it has not done what it would
        return mine;
    }
    std::size_t skipped = 0;
    while (skipped < owed_.size() && owed_[skipped].asked != Asked::sync) ++skipped;
    for (std::size_t i = skipped; i-- > 0;) witness.on_dropped(owed_[i], i == 0);
    bool has_query = false;
    for (; skipped > 0; --skipped) {
        // A Query inside a failed pipeline is skipped like the rest and gets no ReadyForQuery of its own.
        const Owed owed = take_front();
        if (!ends_batch(owed.asked)) continue;
        --readies_owed_;
        has_query |= owed.fate == Fate::forward;
    }
    skipping_ = owed_.empty();
    // Unless the Sync behind it is ours, which the client knows nothing of.
    if (has_query && !skipping_ && !is_abandoned_ && owed_.front().fate == Fate::swallow) {
        owed_.front().fate = Fate::forward;
    }
    return mine;
}

void Exchange::abandon() {
    invented_ -= owed_.erase_if([](const Owed& owed) { return owed.fate == Fate::invent; });
    for (std::size_t i = 0; i < owed_.size(); ++i) {
        const Fate fate = owed_[i].fate;
        if (fate == Fate::forward || fate == Fate::inspect) owed_[i].fate = Fate::swallow;
    }
    is_abandoned_ = !at_rest();
}

Owed Exchange::take_front() {
    uncount(owed_.front());
    return owed_.pop_front();
}

void Exchange::uncount(const Owed& owed) {
    if (owed.fate == Fate::invent) --invented_;
    if (owed.fate == Fate::open)
        --opening_;
    else if (owed.asked == Asked::execute)
        --executes_owed_;
}

void Exchange::pop(Witness& witness) {
    const Asked asked = owed_.front().asked;
    if (asked == Asked::parse) witness.on_parsed(owed_.front());
    if (asked == Asked::close) witness.on_closed(owed_.front());
    const bool runs = asked == Asked::execute || asked == Asked::query;
    if (runs && owed_.front().text != nullptr && !owed_.front().text->name.empty()) {
        witness.on_deallocated(owed_.front());
    }
    if (owed_.front().call != 0) witness.on_answered(owed_.front().call);
    head_is_answered_ = false;
    uncount(owed_.front());
    owed_.drop_front();
    settle_markers();
}

void Exchange::settle_markers() {
    while (!owed_.empty() && owed_.front().asked == Asked::copy_end) owed_.drop_front();
}

bool Exchange::begins_behind_batch() const {
    if (open_batch_) return false;
    for (std::size_t i = owed_.size(); i-- > 0;) {
        if (ends_batch(owed_[i].asked) && outcome_of(owed_[i].fate) == Settled::forward) return true;
    }
    return false;
}

std::uint32_t Exchange::running_call() const {
    // BEGIN takes none, and no Flush follows it: its answer may come no sooner than that of the statement behind it.
    const auto takes_time = [](const Owed& owed) {
        return ends_batch(owed.asked) || (owed.asked == Asked::execute && owed.fate != Fate::open);
    };
    for (std::size_t i = 0; i < owed_.size(); ++i) {
        if (takes_time(owed_[i])) return owed_[i].call;
    }
    return 0;
}

void Exchange::write_invented(Bytes& to_client, Witness& witness) {
    while (has_invented_turn()) {
        wire::write_empty(
            to_client, owed_.front().asked == Asked::parse ? BackendTag::parse_complete : BackendTag::close_complete);
        pop(witness);
    }
}

}  // namespace pgsluice::protocol
