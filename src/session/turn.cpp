#include <pgsluice/session/turn.hpp>

namespace pgsluice::session {

Turn::Answer Turn::ask(policy::Usage& usage, std::string_view key, TimePoint now) {
    if (answer_ == Answer::granted) return answer_;
    answer_ = usage.take(key, now, was_granted_, slot_);
    if (answer_ == Answer::granted) {
        was_granted_ = true;
        queued_since_ = never;
    }
    return answer_;
}

Turn::Denial Turn::deny(config::LimitExcess excess, Milliseconds longest, TimePoint now) {
    const auto kind = answer_ == Answer::too_many ? LimitKind::concurrency : LimitKind::rate;
    if (excess == config::LimitExcess::refuse) {
        refused_for_ = kind;
        return Denial::refused;
    }
    if (queued_since_ == never) queued_since_ = now;
    if (longest.count() == 0 || waited(now) < longest) return Denial::waits;
    refused_for_ = kind;
    return Denial::timed_out;
}

Milliseconds Turn::waited(TimePoint now) const {
    return queued_since_ == never ? Milliseconds(0) : std::chrono::duration_cast<Milliseconds>(now - queued_since_);
}

void Turn::give_back() {
    slot_.reset();
    answer_ = Answer::too_many;
}

}  // namespace pgsluice::session
