// Who gets a server, and in which order: one worker.
#include <gtest/gtest.h>
#include <support/pool_rig.hpp>

namespace pgsluice::pool {
namespace {

using metrics::ServerState;
using test::PoolClient;
using test::PoolRig;

TEST(Queue, an_idle_server_is_lent_at_once_and_the_last_used_first) {
    PoolRig rig(config::Pool{.size = 2});
    PoolClient& first = rig.holder();
    PoolClient& second = rig.holder();
    Server* const used_last = first.server;
    second.give_back();
    first.give_back();
    EXPECT_EQ(rig.idle(), 2);
    EXPECT_EQ(rig.asks().server, used_last);
}

TEST(Queue, waiters_are_served_in_the_order_in_which_they_came) {
    PoolRig rig;
    PoolClient& holder = rig.holder();
    PoolClient& first = rig.asks();
    PoolClient& second = rig.asks();
    EXPECT_EQ(rig.pool().waiting(), 2U);
    holder.give_back();
    EXPECT_NE(first.server, nullptr);
    EXPECT_TRUE(second.waits);
    first.give_back();
    EXPECT_NE(second.server, nullptr);
    EXPECT_FALSE(rig.share().anybody_waits());
}

TEST(Queue, one_that_leaves_is_passed_over) {
    PoolRig rig;
    PoolClient& holder = rig.holder();
    PoolClient& first = rig.asks();
    PoolClient& second = rig.asks();
    first.leave();
    holder.give_back();
    EXPECT_EQ(first.server, nullptr);
    EXPECT_NE(second.server, nullptr);
}

TEST(Queue, the_last_that_leaves_leaves_it_empty) {
    PoolRig rig;
    PoolClient& holder = rig.holder();
    rig.asks().leave();
    EXPECT_FALSE(rig.share().anybody_waits());
    holder.give_back();
    EXPECT_EQ(rig.idle(), 1);
}

// Its session may use the server, and give it back, before the call returns.
TEST(Queue, a_server_may_be_given_back_from_inside_the_grant) {
    PoolRig rig;
    PoolClient& holder = rig.holder();
    PoolClient& first = rig.asks();
    PoolClient& second = rig.asks();
    first.and_then = [&] { first.give_back(); };
    holder.give_back();
    EXPECT_EQ(first.server, nullptr);
    EXPECT_NE(second.server, nullptr);
}

TEST(Queue, one_that_asks_from_inside_a_grant_stands_behind_the_others) {
    PoolRig rig;
    PoolClient& holder = rig.holder();
    PoolClient& first = rig.asks();
    PoolClient& second = rig.asks();
    PoolClient& late = rig.client();
    first.and_then = [&] {
        late.ask();
        first.give_back();
    };
    holder.give_back();
    EXPECT_NE(second.server, nullptr);
    EXPECT_TRUE(late.waits);
    second.give_back();
    EXPECT_NE(late.server, nullptr);
}

TEST(Queue, a_server_that_is_discarded_makes_room_for_who_waits) {
    PoolRig rig;
    PoolClient& holder = rig.holder();
    PoolClient& next = rig.asks();
    EXPECT_EQ(rig.dials(), 0U);
    rig.pool().discard(*std::exchange(holder.server, nullptr), metrics::ServerClose::unclean);
    EXPECT_EQ(rig.dials(), 1U);
    rig.host().open();
    EXPECT_NE(next.server, nullptr);
}

TEST(Queue, a_server_that_dies_while_lent_is_its_clients_loss_only) {
    PoolRig rig;
    PoolClient& holder = rig.holder();
    PoolClient& next = rig.asks();
    rig.server(0).peer.lose();
    EXPECT_EQ(holder.server, nullptr);
    EXPECT_EQ(rig.host().closes, std::vector{metrics::ServerClose::lost});
    rig.host().open();
    EXPECT_NE(next.server, nullptr);
}

TEST(Queue, counts_who_waits_and_how_long_the_oldest_has) {
    PoolRig rig;
    rig.holder();
    const PoolClient& first = rig.asks();
    rig.advance(Milliseconds(500));
    rig.asks();
    rig.advance(Milliseconds(500));
    EXPECT_EQ(rig.host().pool_metrics().waiters.value(), 2);
    EXPECT_EQ(rig.clock().now() - first.waiting_since(), Milliseconds(1000));
}

TEST(Queue, whoever_gets_a_server_has_it_since_then) {
    PoolRig rig;
    PoolClient& holder = rig.holder();
    EXPECT_EQ(holder.server->since(), rig.clock().now()) << "one that is new";
    PoolClient& next = rig.asks();
    rig.advance(Milliseconds(500));
    holder.give_back();
    ASSERT_NE(next.server, nullptr);
    EXPECT_EQ(next.server->since(), rig.clock().now()) << "straight from the one before";
}

// --- A cancel request that is on its way could hit whoever has the server next.

TEST(Cancelling, keeps_a_server_from_others_until_it_has_ended) {
    PoolRig rig;
    PoolClient& holder = rig.holder();
    PoolClient& next = rig.asks();
    Server& server = *holder.server;
    server.begin_cancel();
    server.begin_cancel();
    holder.give_back();
    EXPECT_EQ(rig.host().gauge(ServerState::cancelling), 1);
    rig.pool().end_cancel(server);
    EXPECT_TRUE(next.waits);
    rig.pool().end_cancel(server);
    EXPECT_EQ(next.server, &server);
}

TEST(Cancelling, that_ends_while_the_server_is_lent_changes_nothing) {
    PoolRig rig;
    PoolClient& holder = rig.holder();
    Server& server = *holder.server;
    server.begin_cancel();
    rig.pool().end_cancel(server);
    EXPECT_EQ(rig.host().gauge(ServerState::active), 1);
    holder.give_back();
    EXPECT_EQ(rig.idle(), 1);
}

TEST(Cancelling, of_a_server_that_dies_meanwhile_gives_its_place_back) {
    PoolRig rig;
    PoolClient& holder = rig.holder();
    PoolClient& next = rig.asks();
    holder.server->begin_cancel();
    holder.give_back();
    rig.server(0).peer.lose();
    rig.host().open();
    EXPECT_NE(next.server, nullptr);
}

}  // namespace
}  // namespace pgsluice::pool
