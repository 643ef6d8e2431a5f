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
    Turn& turn = front_.turn();
    if (turn.is_cancelled()) {
        refused = wire::error("57014", "canceling statement due to user request");
        return Entry::refused;
    }
    const TimePoint now = context_.host.now();
    const auto answer = turn.ask(*limit.usage, key_of(limit, facts), now);
    if (answer == Turn::Answer::granted) return Entry::granted;
    // A pipeline does not stand in its own way.
    const bool may_be_ours = answer == Turn::Answer::too_many && !measured_->calls.empty();
    if (may_be_ours && hold_until_answered(to_server)) return Entry::held;
    switch (turn.deny(limit.bounds.excess, pool_->target().settings.query_wait_timeout, now)) {
        case Turn::Denial::waits: hold_until_settled(); return Entry::held;
        case Turn::Denial::refused: refused = wire::error("53400", what_is_allowed(limit, answer)); break;
        case Turn::Denial::timed_out:
            metrics_.timeouts[metrics::TimeLimit::query_wait].add();
            refused = wire::error("53300", "timed out waiting: " + what_is_allowed(limit, answer),
                                  "Waited " + std::to_string(turn.waited(now).count()) + " ms.");
            break;
    }
    return Entry::refused;
}

// What its limit counts by.
std::string Session::key_of(const policy::Limit& limit, const sql::Facts* facts) const {
    switch (limit.bounds.per) {
        case config::LimitPer::rule: break;
        case config::LimitPer::user: return identity_.user;
        case config::LimitPer::application: return std::string(application_name());
        case config::LimitPer::fingerprint: return std::to_string(facts == nullptr ? 0 : facts->fingerprint);
    }
    return {};
}

Session::Entry Session::take_turn_of_query(ByteView text, wire::Outbox& to_server, OwnError& refused) {
    sql::FactsRef facts;
    if (const sql::FactsRef* found = facts_of(text)) facts = *found;
    const Entry entry = take_turn(*front_.limit(), facts.get(), to_server, refused);
    if (entry == Entry::refused && front_.turn().refused_for()) tell_of_refusal(callee_of(text, front_.limit()));
    return entry;
}

void Session::tell_of_refusal(const Callee& callee) {
    if (const auto kind = front_.turn().refused_for()) context_.host.on_limit(*this, *kind, callee);
}

}  // namespace pgsluice::session
