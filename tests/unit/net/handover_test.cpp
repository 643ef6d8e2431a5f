#include "loop.hpp"

#include <pgsluice/net/handover.hpp>

#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace pgsluice::net {
namespace {

namespace asio = boost::asio;

TEST(Handover, brings_what_another_thread_gives) {
    Loop loop;
    Handover<std::string> handover(loop.io, in(Milliseconds(5000)));
    std::thread other([giver = handover.giver()] { giver.give("value"); });
    EXPECT_EQ(loop.await(handover.wait()), "value");
    other.join();
}

TEST(Handover, brings_what_was_given_before_anybody_waited) {
    Loop loop;
    Handover<std::string> handover(loop.io, in(Milliseconds(5000)));
    handover.giver().give("early");
    loop.poll();
    EXPECT_EQ(loop.await(handover.wait()), "early");
}

TEST(Handover, ends_at_the_deadline) {
    Loop loop;
    Handover<std::string> handover(loop.io, in(Milliseconds(20)));
    EXPECT_EQ(loop.await(handover.wait()), std::nullopt);
}

TEST(Handover, what_comes_after_the_loop_has_gone_is_dropped) {
    auto loop = std::make_unique<Loop>();
    std::optional<Handover<std::string>::Giver> giver;
    const auto waits = [&giver](asio::io_context& io) -> asio::awaitable<void> {
        Handover<std::string> handover(io, in(Milliseconds(60'000)));
        giver = handover.giver();
        co_await handover.wait();
    };
    asio::co_spawn(loop->io, waits(loop->io), asio::detached);
    loop->poll();
    ASSERT_TRUE(giver.has_value());
    EXPECT_TRUE(giver->is_wanted());
    loop.reset();
    EXPECT_FALSE(giver->is_wanted());
    giver->give("late");
}

TEST(Handover, what_comes_after_a_wait_has_timed_out_is_dropped) {
    Loop loop;
    std::optional<Handover<std::string>::Giver> giver;
    {
        Handover<std::string> handover(loop.io, in(Milliseconds(5)));
        giver = handover.giver();
        EXPECT_EQ(loop.await(handover.wait()), std::nullopt);
    }
    EXPECT_FALSE(giver->is_wanted());
    giver->give("late");
    loop.poll();
}

// Fails by crashing, or under a sanitizer.
TEST(Handover, a_loop_may_go_while_the_value_is_given) {
    for (int round = 0; round < 200; ++round) {
        auto loop = std::make_unique<Loop>();
        std::thread other;
        const auto waits = [&other](asio::io_context& io) -> asio::awaitable<void> {
            Handover<std::string> handover(io, in(Milliseconds(60'000)));
            other = std::thread([giver = handover.giver()] { giver.give("value"); });
            co_await handover.wait();
        };
        asio::co_spawn(loop->io, waits(loop->io), asio::detached);
        loop->poll();
        loop.reset();
        other.join();
    }
}

}  // namespace
}  // namespace pgsluice::net
