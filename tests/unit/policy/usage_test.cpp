#include <pgsluice/policy/usage.hpp>

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace pgsluice::policy {
namespace {

using namespace std::chrono_literals;
using Answer = Usage::Answer;

const TimePoint start{1h};

Answer take(Usage& usage, std::string_view key, TimePoint at, std::vector<Usage::Slot>* held = nullptr) {
    Usage::Slot slot;
    const Answer answer = usage.take(key, at, false, slot);
    if (held != nullptr && answer == Answer::granted) held->push_back(std::move(slot));
    return answer;
}

}  // namespace

TEST(Usage, so_many_run_at_a_time_until_one_gives_its_slot_back) {
    const auto usage = std::make_shared<Usage>(2, 0);
    std::vector<Usage::Slot> held;
    EXPECT_EQ(take(*usage, "ann", start, &held), Answer::granted);
    EXPECT_EQ(take(*usage, "ann", start, &held), Answer::granted);
    EXPECT_EQ(take(*usage, "ann", start, &held), Answer::too_many);
    EXPECT_EQ(take(*usage, "bob", start, &held), Answer::granted);
    held.erase(held.begin());
    EXPECT_EQ(take(*usage, "ann", start, &held), Answer::granted);
    EXPECT_EQ(take(*usage, "ann", start, &held), Answer::too_many);
}

TEST(Usage, a_slot_outlives_what_it_was_taken_from) {
    auto usage = std::make_shared<Usage>(1, 0);
    std::vector<Usage::Slot> held;
    take(*usage, "", start, &held);
    usage.reset();
    held.clear();
}

TEST(Usage, a_seconds_worth_may_come_at_once_and_then_one_in_its_time) {
    const auto usage = std::make_shared<Usage>(0, 4);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(take(*usage, "", start), Answer::granted);
    EXPECT_EQ(take(*usage, "", start), Answer::too_fast);
    EXPECT_EQ(take(*usage, "", start + 249ms), Answer::too_fast);
    EXPECT_EQ(take(*usage, "", start + 250ms), Answer::granted);
    EXPECT_EQ(take(*usage, "", start + 250ms), Answer::too_fast);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(take(*usage, "", start + 10s), Answer::granted);
    EXPECT_EQ(take(*usage, "", start + 10s), Answer::too_fast);
}

TEST(Usage, what_did_not_begin_is_not_counted_again) {
    const auto usage = std::make_shared<Usage>(1, 1);
    Usage::Slot slot;
    EXPECT_EQ(usage->take("", start, false, slot), Answer::granted);
    slot.reset();
    EXPECT_EQ(usage->take("", start, true, slot), Answer::granted);
    slot.reset();
    EXPECT_EQ(usage->take("", start, false, slot), Answer::too_fast);
}

TEST(Usage, keys_that_nobody_uses_are_forgotten_and_too_many_share_one) {
    const auto usage = std::make_shared<Usage>(1, 0);
    std::vector<Usage::Slot> held;
    for (int i = 0; i < 20'000; ++i) take(*usage, std::to_string(i), start, &held);
    EXPECT_LE(usage->keys(), 10'001U);
    EXPECT_EQ(held.size(), 10'001U);
    held.clear();
    EXPECT_EQ(take(*usage, "new", start + 10s), Answer::granted);
    EXPECT_LE(usage->keys(), 2U);
}

TEST(Usage, is_kept_by_many_threads) {
    const auto usage = std::make_shared<Usage>(3, 0);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 10'000; ++round) take(*usage, "x", start);
        });
    }
    for (std::thread& thread : threads) thread.join();
    std::vector<Usage::Slot> held;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(take(*usage, "x", start, &held), Answer::granted);
    EXPECT_EQ(take(*usage, "x", start, &held), Answer::too_many);
}

}  // namespace pgsluice::policy
