// Statements of which a policy lets only so many run at a time, or begin in a second: who has its turn, who waits for
// it, and who is refused.
#include <pgsluice/session/session.hpp>

namespace pgsluice::session {

namespace {

std::string what_is_allowed(const policy::Limit& limit, policy::Usage::Answer answer) {
    const bool is_too_many = answer == policy::Usage::Answer::too_many;
    return "policy \"" + limit.rule + "\" allows " +
           (is_too_many ? std::to_string(limit.bounds.concurrency) + " at a time"
                        : std::to_string(limit.bounds.rate) + " per second");
}

// It lets go of what those who have their turn may be waiting for.
bool only_ends_transaction(const sql::Facts& facts) {
    static const sql::Kinds ends =
        *sql::kinds_named("commit") | *sql::kinds_named("rollback") | *sql::kinds_named("prepare transaction");
    return facts.kinds.any() && (facts.kinds & ~ends).none();
}

}  // namespace

// A turn that is held comes again: at each sweep, and whenever the server has answered something.
Session::Entry Session::take_turn(const policy::Limit& limit, const sql::Facts* facts, wire::Outbox& to_server,
                                  OwnError& refused) {
    if (facts != nullptr && only_ends_transaction(*facts)) return Entry::granted;
    if (turn_ == nullptr) turn_ = std::make_unique<Turn>();
    Turn& turn = *turn_;
    if (turn.is_taken) return Entry::granted;
    if (turn.is_cancelled) {
        refused = wire::error("57014", "canceling statement due to user request");
        return Entry::refused;
    }
    std::string key;
    switch (limit.bounds.per) {
        case config::LimitPer::rule: break;
        case config::LimitPer::user: key = identity_.user; break;
        case config::LimitPer::application: key = application_name(); break;
        case config::LimitPer::fingerprint: key = std::to_string(facts == nullptr ? 0 : facts->fingerprint); break;
    }
    const TimePoint now = context_.host.now();
    const auto answer = limit.usage->take(key, now, turn.is_counted, turn.slot);
    if (answer == policy::Usage::Answer::granted) {
        turn.is_taken = turn.is_counted = true;
        turn.queued_since = never;
        return Entry::granted;
    }
    // A pipeline does not stand in its own way.
    const bool may_be_ours = answer == policy::Usage::Answer::too_many && !calls_->empty();
    if (may_be_ours && hold_until_answered(to_server)) return Entry::held;
    const std::string allowed = what_is_allowed(limit, answer);
    const auto refused_for = answer == policy::Usage::Answer::too_many ? LimitKind::concurrency : LimitKind::rate;
    if (limit.bounds.excess == config::LimitExcess::refuse) {
        turn.refused_for = refused_for;
        refused = wire::error("53400", allowed);
        return Entry::refused;
    }
    if (turn.queued_since == never) turn.queued_since = now;
    const auto waited = std::chrono::duration_cast<Milliseconds>(now - turn.queued_since);
    const Milliseconds most = pool_->target().settings.query_wait_timeout;
    if (most.count() != 0 && waited >= most) {
        metrics_.timeouts[metrics::TimeLimit::query_wait].add();
        turn.refused_for = refused_for;
        refused =
            wire::error("53300", "timed out waiting: " + allowed, "Waited " + std::to_string(waited.count()) + " ms.");
        return Entry::refused;
    }
    hold_until_settled();
    return Entry::held;
}

Session::Entry Session::take_turn_of_query(ByteView text, wire::Outbox& to_server, OwnError& refused) {
    sql::FactsRef facts;
    if (const sql::FactsRef* found = facts_of(text)) facts = *found;
    const Entry entry = take_turn(*limit_, facts.get(), to_server, refused);
    if (entry == Entry::refused && turn_->refused_for) tell_of_refusal(callee_of(text, limit_));
    return entry;
}

void Session::tell_of_refusal(const Callee& callee) {
    if (turn_->refused_for) context_.host.on_limit(*this, *turn_->refused_for, callee);
}

void Session::give_turn_back() {
    if (turn_ == nullptr) return;
    turn_->slot.reset();
    turn_->is_taken = false;
}

}  // namespace pgsluice::session
