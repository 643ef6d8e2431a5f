#include <pgsluice/session/turn.hpp>

#include <gtest/gtest.h>

namespace pgsluice::session {
namespace {

using config::LimitExcess;

constexpr Milliseconds longest{3000};
constexpr TimePoint at(int milliseconds) {
    return TimePoint{} + std::chrono::hours(1) + Milliseconds(milliseconds);
}
std::shared_ptr<policy::Usage> usage_of(std::uint32_t at_a_time, std::uint32_t per_second = 0) {
    return std::make_shared<policy::Usage>(at_a_time, per_second);
}

TEST(Turn, that_has_come_stays_and_takes_one_place) {
    const auto usage = usage_of(2);
    Turn turn, other;
    EXPECT_EQ(turn.ask(*usage, "", at(0)), Turn::Answer::granted);
    EXPECT_EQ(turn.ask(*usage, "", at(1)), Turn::Answer::granted);
    EXPECT_EQ(other.ask(*usage, "", at(2)), Turn::Answer::granted);
}

TEST(Turn, that_is_given_back_is_for_another_and_is_asked_for_again) {
    const auto usage = usage_of(1);
    Turn turn, other;
    turn.ask(*usage, "", at(0));
    EXPECT_EQ(other.ask(*usage, "", at(1)), Turn::Answer::too_many);
    turn.give_back();
    EXPECT_EQ(other.ask(*usage, "", at(2)), Turn::Answer::granted);
    EXPECT_EQ(turn.ask(*usage, "", at(3)), Turn::Answer::too_many);
}

TEST(Turn, that_is_given_back_counts_for_the_rate_once) {
    const auto usage = usage_of(0, 1);
    Turn turn, other;
    EXPECT_EQ(turn.ask(*usage, "", at(0)), Turn::Answer::granted);
    EXPECT_EQ(other.ask(*usage, "", at(0)), Turn::Answer::too_fast);
    turn.give_back();
    EXPECT_EQ(turn.ask(*usage, "", at(1)), Turn::Answer::granted);
}

TEST(Turn, lasts_as_long_as_the_call_that_takes_its_slot) {
    const auto usage = usage_of(1);
    policy::Usage::Slot slot;
    {
        Turn turn;
        turn.ask(*usage, "", at(0));
        slot = turn.take_slot();
    }
    Turn other;
    EXPECT_EQ(other.ask(*usage, "", at(1)), Turn::Answer::too_many);
    slot.reset();
    EXPECT_EQ(other.ask(*usage, "", at(2)), Turn::Answer::granted);
}

TEST(Turn, is_refused_at_once_where_nobody_is_to_wait) {
    const auto usage = usage_of(1);
    Turn holder, turn;
    holder.ask(*usage, "", at(0));
    turn.ask(*usage, "", at(0));
    EXPECT_EQ(turn.deny(LimitExcess::refuse, longest, at(0)), Turn::Denial::refused);
    EXPECT_EQ(turn.refused_for(), LimitKind::concurrency);
    EXPECT_FALSE(turn.is_queued());
}

TEST(Turn, is_waited_for_from_the_first_denial_and_not_beyond_the_longest_wait) {
    const auto usage = usage_of(1);
    Turn holder, turn;
    holder.ask(*usage, "", at(0));
    for (const int now : {100, 1000, 3099}) {
        turn.ask(*usage, "", at(now));
        EXPECT_EQ(turn.deny(LimitExcess::queue, longest, at(now)), Turn::Denial::waits);
        EXPECT_TRUE(turn.is_queued());
        EXPECT_FALSE(turn.refused_for());
    }
    turn.ask(*usage, "", at(3100));
    EXPECT_EQ(turn.deny(LimitExcess::queue, longest, at(3100)), Turn::Denial::timed_out);
    EXPECT_EQ(turn.waited(at(3100)), longest);
    EXPECT_EQ(turn.refused_for(), LimitKind::concurrency);
}

TEST(Turn, is_waited_for_without_end_where_there_is_no_longest_wait) {
    const auto usage = usage_of(0, 1);
    Turn holder, turn;
    holder.ask(*usage, "", at(0));
    EXPECT_EQ(turn.ask(*usage, "", at(0)), Turn::Answer::too_fast);
    EXPECT_EQ(turn.deny(LimitExcess::queue, Milliseconds(0), at(0)), Turn::Denial::waits);
    EXPECT_EQ(turn.deny(LimitExcess::queue, Milliseconds(0), at(1'000'000)), Turn::Denial::waits);
}

TEST(Turn, is_waited_for_no_more_when_it_has_come) {
    const auto usage = usage_of(1);
    Turn holder, turn;
    holder.ask(*usage, "", at(0));
    turn.ask(*usage, "", at(0));
    turn.deny(LimitExcess::queue, longest, at(0));
    holder.give_back();
    EXPECT_EQ(turn.ask(*usage, "", at(500)), Turn::Answer::granted);
    EXPECT_FALSE(turn.is_queued());
    EXPECT_EQ(turn.waited(at(600)), Milliseconds(0));
}

}  // namespace
}  // namespace pgsluice::session
