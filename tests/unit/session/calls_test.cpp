#include <pgsluice/session/calls.hpp>

#include <gtest/gtest.h>

namespace pgsluice::session {
namespace {

constexpr TimePoint at(int milliseconds) {
    return TimePoint{} + std::chrono::milliseconds(milliseconds);
}

// A copy, for the call itself goes.
Call finished(Calls& calls, std::uint32_t number, TimePoint now) {
    Call call = calls.finish(number, now);
    calls.drop_finished();
    return call;
}

Callee traced(std::string id) {
    return {nullptr, std::make_shared<const Remarks>(Remarks{std::move(id), ""})};
}

}  // namespace

TEST(Calls, are_timed_from_the_moment_they_are_sent) {
    Calls calls(true);
    const auto number = calls.begin(traced("a"), at(10), Microseconds(0));
    const Call done = finished(calls, number, at(25));
    EXPECT_EQ(done.server_time, Milliseconds(15));
    EXPECT_EQ(done.callee.trace_id(), "a");
    EXPECT_FALSE(done.failed);
    EXPECT_TRUE(calls.empty());
}

// The server does one after the other.
TEST(Calls, that_are_sent_ahead_are_timed_from_the_answer_before_them) {
    Calls calls(true);
    const auto first = calls.begin(traced("a"), at(0), Microseconds(0));
    const auto second = calls.begin(traced("b"), at(1), Microseconds(0));
    EXPECT_EQ(finished(calls, first, at(100)).server_time, Milliseconds(100));
    EXPECT_EQ(finished(calls, second, at(130)).server_time, Milliseconds(30));
}

TEST(Calls, have_the_wait_since_the_call_before) {
    Calls calls(true);
    const auto first = calls.begin({}, at(0), Microseconds(700));
    EXPECT_EQ(finished(calls, first, at(1)).wait, Microseconds(700));
    const auto second = calls.begin({}, at(2), Microseconds(700));
    EXPECT_EQ(finished(calls, second, at(3)).wait, Microseconds(0));
    const auto third = calls.begin({}, at(4), Microseconds(1000));
    EXPECT_EQ(finished(calls, third, at(5)).wait, Microseconds(300));
}

TEST(Calls, count_for_the_oldest) {
    Calls calls(true);
    const auto first = calls.begin({}, at(0), Microseconds(0));
    const auto second = calls.begin({}, at(0), Microseconds(0));
    calls.count(3);
    calls.count(4);
    calls.count_bytes(50);
    const Call done = finished(calls, first, at(1));
    EXPECT_EQ(done.rows, 7U);
    EXPECT_EQ(done.bytes, 50U);
    calls.fail();
    const Call failed = finished(calls, second, at(2));
    EXPECT_TRUE(failed.failed);
    EXPECT_EQ(failed.rows, 0U);
    calls.count(1);
    calls.fail();
    EXPECT_FALSE(finished(calls, calls.begin({}, at(3), Microseconds(0)), at(4)).failed) << "there was none";
}

// A failed batch is dropped newest first.
TEST(Calls, that_the_server_skips_leave_the_others_their_numbers) {
    Calls calls(true);
    const auto first = calls.begin(traced("a"), at(0), Microseconds(0));
    const auto second = calls.begin(traced("b"), at(0), Microseconds(0));
    const auto third = calls.begin(traced("c"), at(0), Microseconds(0));
    calls.forget(second);
    EXPECT_EQ(finished(calls, first, at(1)).callee.trace_id(), "a");
    EXPECT_EQ(calls.first(), third);
    EXPECT_EQ(finished(calls, third, at(2)).callee.trace_id(), "c");
    EXPECT_TRUE(calls.empty());
    EXPECT_NE(calls.begin({}, at(3), Microseconds(0)), 0U);
}

}  // namespace pgsluice::session
