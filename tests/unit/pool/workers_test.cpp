// One pool on several workers: servers and requests on their way between them, and what goes wrong there.
#include <gtest/gtest.h>
#include <support/pool_rig.hpp>

namespace pgsluice::pool {
namespace {

using metrics::ServerClose;
using test::PoolClient;
using test::PoolRig;

PoolRig::Options two_workers(std::uint32_t size = 1) {
    return {.pool = {.size = size}, .workers = 2};
}

TEST(Workers, a_server_goes_to_the_oldest_waiter_wherever_it_is) {
    PoolRig rig(two_workers());
    PoolClient& holder = rig.holder(0);
    PoolClient& there = rig.asks(1);
    PoolClient& here = rig.asks(0);
    holder.give_back();
    EXPECT_TRUE(here.waits);
    rig.carry();
    EXPECT_NE(there.server, nullptr);
    there.give_back();
    rig.carry();
    EXPECT_NE(here.server, nullptr);
    EXPECT_EQ(rig.permits().open(), 1U);
}

TEST(Workers, one_that_finds_no_room_asks_where_a_server_is_idle) {
    PoolRig rig(two_workers());
    rig.holder(0).give_back();
    PoolClient& there = rig.asks(1);
    EXPECT_TRUE(there.waits);
    EXPECT_EQ(rig.dials(), 0U);
    rig.carry();
    EXPECT_NE(there.server, nullptr);
}

TEST(Workers, one_whose_dial_fails_asks_where_a_server_is_idle) {
    PoolRig rig(two_workers(2));
    rig.holder(0).give_back();
    PoolClient& there = rig.asks(1);
    rig.refuse();
    rig.carry();
    EXPECT_NE(there.server, nullptr);
}

TEST(Workers, one_whose_dial_takes_long_asks_where_a_server_is_idle) {
    PoolRig rig(two_workers(2));
    rig.holder(0).give_back();
    PoolClient& there = rig.asks(1);
    rig.advance(Milliseconds(50));
    rig.carry();
    EXPECT_NE(there.server, nullptr);
}

TEST(Workers, one_that_waits_is_told_of_the_room_that_a_lost_server_leaves_elsewhere) {
    PoolRig rig(two_workers());
    PoolClient& holder = rig.holder(0);
    PoolClient& there = rig.asks(1);
    rig.carry();
    ASSERT_EQ(rig.dials(), 0U);
    holder.on_server_lost(*holder.server);
    rig.carry();
    EXPECT_EQ(rig.host(1).dials(), 1U);
    rig.host(1).open();
    EXPECT_NE(there.server, nullptr);
}

// The idle server is on its way to another: a newcomer here may not have it.
TEST(Workers, a_newcomer_does_not_overtake) {
    PoolRig rig(two_workers());
    rig.holder(0).give_back();
    PoolClient& there = rig.asks(1);
    PoolClient& late = rig.asks(0);
    rig.carry();
    EXPECT_NE(there.server, nullptr);
    EXPECT_TRUE(late.waits);
}

TEST(Workers, what_is_prepared_and_set_on_a_server_moves_with_it) {
    PoolRig rig(two_workers());
    PoolClient& holder = rig.holder(0);
    Server& server = *holder.server;
    server.statements().restore(rig.statements(0).intern("select 1", ""));
    server.statements().restore(rig.statements(0).intern("select 2", ""));
    server.unnamed() = rig.statements(0).intern("select 3", "");
    const auto has = rig.host(0).parameters().with(server.has(), "TimeZone", "Asia/Tokyo", true);
    server.set_has(has);
    PoolClient& there = rig.asks(1);
    holder.give_back();
    rig.carry();
    ASSERT_EQ(there.server, &server);
    EXPECT_EQ(rig.statements(0).size(), 0U);
    EXPECT_EQ(rig.statements(1).size(), 2U);
    ASSERT_EQ(server.statements().size(), 2U);
    EXPECT_EQ(server.statements().by_use().front().statement, rig.statements(1).intern("select 1", ""));
    EXPECT_EQ(server.unnamed(), nullptr);
    EXPECT_EQ(server.has()->find("TimeZone")->value, "Asia/Tokyo");
}

TEST(Workers, know_what_a_server_of_any_of_them_answered_to_its_login) {
    PoolRig rig(two_workers());
    Server& server = *rig.holder(0).server;
    server.set_has(rig.host(0).parameters().with(server.has(), "TimeZone", "Asia/Tokyo", true));
    const auto greeting = rig.pool(1).share().login_answers().greeting(1);
    ASSERT_NE(greeting, nullptr);
    EXPECT_EQ(greeting->reported, test::fake_reports());
    EXPECT_EQ(greeting->baseline->find("TimeZone")->value, "UTC") << "not what its client has made of it";
}

// --- The client that it was called for has gone.

TEST(Workers, a_server_whose_client_has_left_serves_the_next_one_there) {
    PoolRig rig(two_workers());
    PoolClient& holder = rig.holder(0);
    PoolClient& called = rig.asks(1);
    PoolClient& next = rig.asks(1);
    holder.give_back();
    called.leave();
    rig.carry();
    EXPECT_NE(next.server, nullptr);
    EXPECT_FALSE(rig.share().anybody_waits());
}

TEST(Workers, a_server_whose_client_has_left_goes_back_to_who_waits_elsewhere) {
    PoolRig rig(two_workers());
    PoolClient& holder = rig.holder(0);
    PoolClient& called = rig.asks(1);
    PoolClient& elsewhere = rig.asks(0);
    holder.give_back();
    called.leave();
    rig.carry();
    EXPECT_NE(elsewhere.server, nullptr);
    EXPECT_FALSE(rig.share().anybody_waits());
}

TEST(Workers, a_server_whose_client_has_left_is_idle_where_nobody_waits) {
    PoolRig rig(two_workers());
    PoolClient& holder = rig.holder(0);
    PoolClient& called = rig.asks(1);
    holder.give_back();
    called.leave();
    rig.carry();
    EXPECT_EQ(rig.idle(), 1);
    EXPECT_NE(rig.asks(1).server, nullptr);
}

// Served in the order of the queue, not of arrival: the second server is the second client's.
TEST(Workers, two_servers_on_their_way_serve_the_two_that_they_were_called_for) {
    PoolRig rig({.pool = {.size = 2}, .workers = 3});
    PoolClient& first_holder = rig.holder(0);
    PoolClient& second_holder = rig.holder(2);
    PoolClient& first = rig.asks(1);
    PoolClient& second = rig.asks(1);
    PoolClient& third = rig.asks(1);
    Server* const one = first_holder.server;
    Server* const two = second_holder.server;
    first_holder.give_back();
    second_holder.give_back();
    rig.carry();
    EXPECT_EQ(first.server, one);
    EXPECT_EQ(second.server, two);
    EXPECT_TRUE(third.waits);
    first.leave();
    rig.carry();
    EXPECT_EQ(third.server, one);
}

// --- It breaks, or is of no use any more.

TEST(Workers, a_server_lost_on_its_way_costs_its_client_no_place_in_the_queue) {
    PoolRig rig(two_workers(2));
    PoolClient& holder = rig.holder(0);
    PoolClient& other = rig.holder(0);
    PoolClient& called = rig.asks(1);
    PoolClient& behind = rig.asks(0);
    holder.give_back();
    rig.lose_what_moves();
    EXPECT_TRUE(rig.share().anybody_waits());
    EXPECT_EQ(rig.permits().open(), 2U);  // one in use, one being dialed in place of the lost
    EXPECT_EQ(rig.host(1).closes, std::vector{ServerClose::lost});
    other.give_back();
    rig.carry();
    EXPECT_NE(called.server, nullptr);
    EXPECT_TRUE(behind.waits);
}

TEST(Workers, a_server_lost_on_its_way_to_nobody_leaves_no_trace) {
    PoolRig rig(two_workers());
    PoolClient& holder = rig.holder(0);
    PoolClient& called = rig.asks(1);
    holder.give_back();
    called.leave();
    rig.lose_what_moves();
    EXPECT_FALSE(rig.share().anybody_waits());
    EXPECT_EQ(rig.permits().open(), 0U);
    EXPECT_EQ(rig.upstream().open(), 0U);
}

TEST(Workers, a_server_that_is_spent_on_arrival_costs_its_client_no_place_in_the_queue) {
    PoolRig rig({.pool = {.size = 1, .lifetime = Milliseconds(1000)}, .workers = 2});
    PoolClient& holder = rig.holder(0);
    PoolClient& called = rig.asks(1);
    PoolClient& behind = rig.asks(0);
    holder.give_back();
    rig.clock().advance(Milliseconds(1200));
    rig.carry();
    EXPECT_TRUE(called.waits);
    EXPECT_EQ(rig.host(1).closes, std::vector{ServerClose::lifetime});
    ASSERT_EQ(rig.host(1).dials(), 1U);
    rig.host(1).open();
    EXPECT_NE(called.server, nullptr);
    EXPECT_TRUE(behind.waits);
}

TEST(Workers, a_server_that_a_reload_replaced_on_its_way_is_closed_on_arrival) {
    PoolRig rig(two_workers());
    PoolClient& holder = rig.holder(0);
    PoolClient& called = rig.asks(1);
    holder.give_back();
    for (const std::size_t worker : {0U, 1U}) rig.pool(worker).reconfigure(rig.target(2));
    rig.carry();
    EXPECT_TRUE(called.waits);
    rig.host(1).open();
    EXPECT_NE(called.server, nullptr);
}

// --- RECONNECT

TEST(Workers, a_server_that_was_to_be_replaced_on_its_way_is_closed_on_arrival) {
    PoolRig rig(two_workers());
    PoolClient& holder = rig.holder(0);
    PoolClient& called = rig.asks(1);
    holder.give_back();
    for (const std::size_t worker : {0U, 1U}) rig.pool(worker).reconnect(1);
    EXPECT_EQ(rig.share().outdated(), 1U);
    rig.carry();
    EXPECT_TRUE(called.waits);
    EXPECT_EQ(rig.host(1).closes, std::vector{ServerClose::reconnect});
    EXPECT_EQ(rig.share().outdated(), 0U);
    rig.host(1).open();
    EXPECT_NE(called.server, nullptr);
}

TEST(Workers, a_server_that_is_to_be_replaced_is_not_lent_where_nobody_has_said_so_yet) {
    PoolRig rig(two_workers(2));
    PoolClient& holder = rig.holder(1);
    rig.holder(1).give_back();
    rig.pool(0).reconnect(1);
    EXPECT_EQ(rig.share().outdated(), 2U);
    holder.give_back();
    EXPECT_EQ(rig.host(1).closes, std::vector{ServerClose::reconnect});
    EXPECT_TRUE(rig.asks(1).waits);
    EXPECT_EQ(rig.host(1).closes, (std::vector{ServerClose::reconnect, ServerClose::reconnect}));
}

TEST(Workers, what_servers_tell_at_a_login_is_forgotten_once_when_all_are_to_be_replaced) {
    PoolRig rig(two_workers());
    rig.holder(0);
    const std::uint64_t fingerprint = rig.pool(0).target().fingerprint;
    EXPECT_NE(rig.share().login_answers().greeting(fingerprint), nullptr);
    rig.pool(0).reconnect(1);
    EXPECT_EQ(rig.share().login_answers().greeting(fingerprint), nullptr);
    rig.share().learn_login(0, fingerprint, {});
    EXPECT_EQ(rig.share().login_answers().greeting(fingerprint), nullptr);
    rig.share().learn_login(1, fingerprint, {});
    rig.pool(1).reconnect(1);
    EXPECT_NE(rig.share().login_answers().greeting(fingerprint), nullptr);
}

TEST(Workers, a_server_that_was_being_dialed_when_all_were_to_be_replaced_is_closed) {
    PoolRig rig(two_workers());
    PoolClient& asks = rig.asks(0);
    for (const std::size_t worker : {0U, 1U}) rig.pool(worker).reconnect(1);
    rig.host(0).open();
    EXPECT_TRUE(asks.waits);
    EXPECT_EQ(rig.pool(0).share().login_answers().greeting(1), nullptr);
    rig.host(0).open();
    EXPECT_NE(asks.server, nullptr);
}

TEST(Workers, a_server_dialed_since_is_not_replaced_by_who_hears_of_it_late) {
    PoolRig rig(two_workers());
    rig.pool(0).reconnect(1);
    PoolClient& holder = rig.holder(1);
    rig.pool(1).reconnect(1);
    holder.give_back();
    EXPECT_EQ(rig.idle(), 1);
    EXPECT_EQ(rig.share().outdated(), 0U);
}

}  // namespace
}  // namespace pgsluice::pool
