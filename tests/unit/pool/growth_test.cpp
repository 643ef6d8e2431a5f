// How many connections there may be, when one is opened, and what happens where none can be.
#include <gtest/gtest.h>
#include <support/pool_rig.hpp>

namespace pgsluice::pool {
namespace {

using metrics::ServerClose;
using metrics::ServerState;
using test::PoolClient;
using test::PoolRig;

TEST(Growth, opens_one_connection_for_each_that_waits_up_to_the_size) {
    PoolRig rig({.pool = {.size = 2}, .max_connecting = 9});
    rig.asks();
    rig.asks();
    rig.asks();
    EXPECT_EQ(rig.dials(), 2U);
    EXPECT_EQ(rig.permits().open(), 2U);
    EXPECT_EQ(rig.host().gauge(ServerState::connecting), 2);
}

TEST(Growth, the_size_is_one_for_all_workers) {
    PoolRig rig(config::Pool{.size = 2}, 3);
    for (std::size_t worker = 0; worker < 3; ++worker) rig.asks(worker);
    EXPECT_EQ(rig.dials(), 2U);
}

TEST(Growth, connects_only_so_many_at_a_time) {
    PoolRig rig({.pool = {.size = 9}, .max_connecting = 2});
    for (int i = 0; i < 5; ++i) rig.asks();
    EXPECT_EQ(rig.dials(), 2U);
    rig.host().open();
    EXPECT_EQ(rig.dials(), 2U);
}

TEST(Growth, a_limit_of_none_at_a_time_still_lets_one_connect) {
    PoolRig rig({.pool = {.size = 9}, .max_connecting = 0});
    rig.asks();
    rig.asks();
    EXPECT_EQ(rig.dials(), 1U);
}

TEST(Growth, a_connection_whose_client_has_left_stays_for_the_next) {
    PoolRig rig;
    rig.asks().leave();
    rig.host().open();
    EXPECT_EQ(rig.idle(), 1);
    EXPECT_NE(rig.asks().server, nullptr);
}

TEST(Growth, a_connection_serves_whoever_has_waited_longest_anywhere) {
    PoolRig rig(config::Pool{.size = 1}, 2);
    PoolClient& dialer = rig.asks(0);
    PoolClient& there = rig.asks(1);
    dialer.leave();
    rig.host(0).open();
    rig.carry();
    EXPECT_NE(there.server, nullptr);
}

// Each try costs the server a process. Who waits is served by what is open.
TEST(Growth, a_server_that_refuses_is_asked_again_when_connect_retry_is_over) {
    PoolRig rig(config::Pool{.size = 2});
    PoolClient& holder = rig.holder();
    PoolClient& waiter = rig.asks();
    rig.refuse();
    for (int i = 0; i < 3; ++i) rig.advance(Milliseconds(100));
    rig.asks();
    EXPECT_EQ(rig.dials(), 0U);
    rig.advance(Milliseconds(700));
    EXPECT_EQ(rig.dials(), 1U);
    holder.give_back();
    EXPECT_NE(waiter.server, nullptr);
    rig.host().open();
}

TEST(Growth, who_finds_no_server_open_has_one_dialed_at_once_whatever_failed_before) {
    PoolRig rig(config::Pool{.size = 2});
    rig.asks();
    rig.refuse();
    PoolClient& next = rig.asks();
    EXPECT_EQ(rig.dials(), 1U);
    rig.host().open();
    EXPECT_NE(next.server, nullptr);
}

TEST(Growth, the_least_number_is_not_tried_for_at_every_turn) {
    PoolRig rig(config::Pool{.size = 3, .min_size = 1});
    for (const bool is_temporary : {false, true}) {
        rig.advance(Milliseconds(1000));
        EXPECT_EQ(rig.dials(), 1U);
        rig.refuse(is_temporary);
        rig.advance(Milliseconds(100));
        EXPECT_EQ(rig.dials(), 0U);
    }
}

TEST(Growth, keeps_the_least_number_of_connections) {
    PoolRig rig(config::Pool{.size = 3, .min_size = 2});
    rig.advance(Milliseconds(1));
    EXPECT_EQ(rig.dials(), 2U);
    rig.host().open();
    rig.host().open();
    EXPECT_EQ(rig.idle(), 2);
    rig.server(0).peer.lose();
    rig.advance(Milliseconds(1));
    EXPECT_EQ(rig.dials(), 1U);
}

// --- The reserve

TEST(Reserve, opens_once_somebody_has_waited_long_enough) {
    PoolRig rig(config::Pool{.size = 1, .reserve_size = 1, .reserve_timeout = Milliseconds(5000)});
    rig.holder();
    PoolClient& waiter = rig.asks();
    rig.advance(Milliseconds(4999));
    EXPECT_EQ(rig.dials(), 0U);
    rig.advance(Milliseconds(1));
    ASSERT_EQ(rig.dials(), 1U);
    rig.host().open();
    EXPECT_NE(waiter.server, nullptr);
    rig.asks();
    EXPECT_EQ(rig.permits().open(), 2U);
}

TEST(Reserve, is_not_opened_for_one_that_has_just_come) {
    PoolRig rig(config::Pool{.size = 1, .reserve_size = 2, .reserve_timeout = Milliseconds(5000)});
    rig.holder();
    rig.asks();
    rig.advance(Milliseconds(5000));
    rig.host().open();
    rig.asks();
    EXPECT_EQ(rig.dials(), 0U);
}

// --- Connecting fails

TEST(DialFailed, everybody_is_told_where_there_is_no_server_at_all) {
    PoolRig rig({.pool = {.size = 5}, .max_connecting = 1});
    const PoolClient& first = rig.asks();
    const PoolClient& second = rig.asks();
    rig.refuse();
    ASSERT_TRUE(first.refused && second.refused);
    EXPECT_EQ(first.refused->message, "no such host");
    EXPECT_FALSE(rig.share().anybody_waits());
    EXPECT_EQ(rig.permits().open(), 0U);
}

TEST(DialFailed, a_temporary_failure_is_tried_again) {
    PoolRig rig;
    PoolClient& waiter = rig.asks();
    rig.refuse(true);
    EXPECT_TRUE(waiter.waits);
    EXPECT_EQ(rig.permits().open(), 0U);
    rig.advance(Milliseconds(100));
    ASSERT_EQ(rig.dials(), 1U);
    rig.host().open();
    EXPECT_NE(waiter.server, nullptr);
}

TEST(DialFailed, who_can_be_served_by_an_open_server_goes_on_waiting) {
    PoolRig rig(config::Pool{.size = 2});
    PoolClient& holder = rig.holder();
    PoolClient& waiter = rig.asks();
    rig.refuse();
    EXPECT_TRUE(waiter.waits);
    holder.give_back();
    EXPECT_NE(waiter.server, nullptr);
}

// A sibling's, with another startup packet or of the other mode: its permit counts, and it never comes here.
TEST(DialFailed, who_can_be_served_by_nobody_is_told_at_once) {
    PoolRig rig(config::Pool{.size = 2});
    ASSERT_TRUE(rig.permits().try_take(2));
    const PoolClient& waiter = rig.asks();
    rig.refuse();
    EXPECT_TRUE(waiter.refused);
    rig.permits().give_back();
}

TEST(DialFailed, a_walsender_of_somebody_else_is_not_waited_for) {
    PoolRig rig(
        PoolRig::Options{.pool = {.mode = config::PoolMode::session, .size = 2}, .startup = {{"replication", "true"}}});
    rig.holder();
    const PoolClient& waiter = rig.asks();
    rig.refuse();
    EXPECT_TRUE(waiter.refused);
}

TEST(DialFailed, a_server_open_on_another_worker_counts_too) {
    PoolRig rig(config::Pool{.size = 2}, 2);
    PoolClient& holder = rig.holder(0);
    PoolClient& waiter = rig.asks(1);
    rig.refuse();
    EXPECT_TRUE(waiter.waits);
    holder.give_back();
    rig.carry();
    EXPECT_NE(waiter.server, nullptr);
}

}  // namespace
}  // namespace pgsluice::pool
