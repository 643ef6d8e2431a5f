// The message that a client has in front: what has been found out and decided about it. One that has to wait, for a
// server, its turn or an answer, comes again as if for the first time; what was decided stands here, so that it is
// judged, counted and noted once. All of it goes together, when the message has been taken.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/base/check.hpp>
#include <pgsluice/policy/limit.hpp>
#include <pgsluice/session/turn.hpp>
#include <pgsluice/sql/facts_cache.hpp>

#include <memory>
#include <utility>

namespace pgsluice::session {

class Front {
  public:
    // --- How far it has come: arrived, judged, noted.
    // The policies let it pass.
    bool is_judged() const { return step_ != Step::arrived; }
    void note_judged() {
        if (step_ == Step::arrived) step_ = Step::judged;
    }
    // What it does to the session stands there; of one that has been judged.
    bool is_noted() const { return step_ == Step::noted; }
    void note_effect() {
        PGSLUICE_CHECK(is_judged());
        step_ = Step::noted;
    }
    // It was forgotten there, and is noted again when the message comes again.
    void forget_effect() {
        if (step_ == Step::noted) step_ = Step::judged;
    }

    // --- What is known of its statement.
    // Where the rules had to know them. Once: whoever begins the call takes them along.
    void keep_facts(sql::FactsRef facts) { facts_ = std::move(facts); }
    sql::FactsRef take_facts() { return std::move(facts_); }
    // Under which it runs; nullptr: none.
    void put_under(std::shared_ptr<const policy::Limit> limit) { limit_ = std::move(limit); }
    const std::shared_ptr<const policy::Limit>& limit() const { return limit_; }
    bool waits_for_turns() const { return limit_ != nullptr && limit_->usage != nullptr; }

    // --- The message that goes on in its place; nullptr: it goes on itself. Good until forget().
    void replace_by(std::unique_ptr<const Bytes> other) { replacement_ = std::move(other); }
    const Bytes* replacement() const { return replacement_.get(); }

    // --- Its turn, where its limit says how many may run, or how often.
    Turn& turn() {
        if (turn_ == nullptr) turn_ = std::make_unique<Turn>();
        return *turn_;
    }
    bool is_queued() const { return turn_ != nullptr && turn_->is_queued(); }
    void give_turn_back() {
        if (turn_ != nullptr) turn_->give_back();
    }
    // Empty where it needed none.
    policy::Usage::Slot take_slot() { return turn_ == nullptr ? nullptr : turn_->take_slot(); }

    // It has been taken: what comes next has arrived, and no more. Once for each message, and mostly there is nothing.
    void forget() {
        step_ = Step::arrived;
        if (replacement_ != nullptr) replacement_.reset();
        if (facts_ != nullptr) facts_.reset();
        if (limit_ != nullptr) limit_.reset();
        if (turn_ != nullptr) turn_.reset();
    }

  private:
    enum class Step : std::uint8_t { arrived, judged, noted };

    sql::FactsRef facts_;
    std::unique_ptr<const Bytes> replacement_;
    std::shared_ptr<const policy::Limit> limit_;
    std::unique_ptr<Turn> turn_;
    Step step_ = Step::arrived;
};

}  // namespace pgsluice::session
