// The turn of one statement under a policy that lets only so many run at a time, or begin in a second: whether it has
// come, is waited for, or never will. Who waits asks again, whenever the statement's message comes again.
#pragma once

#include <pgsluice/base/time.hpp>
#include <pgsluice/policy/limit.hpp>
#include <pgsluice/session/limit_kind.hpp>

#include <optional>
#include <string_view>

namespace pgsluice::session {

class Turn {
  public:
    using Answer = policy::Usage::Answer;

    // Of the limit's usage, counted by `key`. What has been granted stays so until it is given back.
    Answer ask(policy::Usage& usage, std::string_view key, TimePoint now);

    // What becomes of a statement to which that was not granted. It waits from the first time that it is told so, and
    // no longer than `longest`; 0: however long.
    enum class Denial : std::uint8_t { waits, refused, timed_out };
    Denial deny(config::LimitExcess excess, Milliseconds longest, TimePoint now);
    bool is_queued() const { return queued_since_ != never; }
    Milliseconds waited(TimePoint now) const;
    // Of a statement that does not wait any more; nullopt where no limit has ended it.
    std::optional<LimitKind> refused_for() const { return refused_for_; }

    // By its client, while it waits.
    void cancel() { is_cancelled_ = true; }
    bool is_cancelled() const { return is_cancelled_; }

    // It did not begin. When it is granted again, its rate has been counted.
    void give_back();
    // For the call that begins now.
    policy::Usage::Slot take_slot() { return std::move(slot_); }

  private:
    policy::Usage::Slot slot_;
    TimePoint queued_since_ = never;
    Answer answer_ = Answer::too_many;  // the last one
    bool was_granted_ = false;
    bool is_cancelled_ = false;
    std::optional<LimitKind> refused_for_;
};

}  // namespace pgsluice::session
