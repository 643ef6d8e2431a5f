// PAUSE: nobody gets a server before the pool goes on, and those that were open are closed.
#include <gtest/gtest.h>
#include <support/pool_rig.hpp>

namespace pgsluice::pool {
namespace {

using metrics::ServerClose;
using test::PoolClient;
using test::PoolRig;
using Closes = std::vector<ServerClose>;

TEST(Pause, closes_idle_servers_at_once_and_lent_ones_when_they_come_back) {
    PoolRig rig(config::Pool{.size = 2});
    PoolClient& holder = rig.holder();
    rig.holder().give_back();
    rig.pool().pause();
    EXPECT_EQ(rig.host().closes, Closes{ServerClose::paused});
    holder.give_back();
    EXPECT_EQ(rig.host().closes, (Closes{ServerClose::paused, ServerClose::paused}));
}

TEST(Pause, has_everybody_wait_until_the_pool_goes_on) {
    PoolRig rig(config::Pool{.size = 1});
    rig.holder().give_back();
    rig.pool().pause();
    PoolClient& waiter = rig.asks();
    EXPECT_TRUE(waiter.waits);
    rig.advance(std::chrono::seconds(10));
    EXPECT_TRUE(waiter.waits);
    EXPECT_EQ(rig.dials(), 0U);
    rig.pool().resume();
    rig.host().open();
    EXPECT_FALSE(waiter.waits);
    waiter.give_back();
    EXPECT_EQ(rig.idle(), 1);
}

TEST(Pause, takes_no_server_that_was_on_its_way) {
    PoolRig rig(config::Pool{.size = 1});
    PoolClient& waiter = rig.asks();
    rig.pool().pause();
    rig.host().open();
    EXPECT_TRUE(waiter.waits);
    EXPECT_EQ(rig.host().closes, Closes{ServerClose::paused});
    rig.pool().resume();
    rig.host().open();
    EXPECT_FALSE(waiter.waits);
}

TEST(Pause, has_logins_ask_the_servers_that_come_behind_it) {
    PoolRig rig(config::Pool{.size = 1});
    PoolClient& waiter = rig.asks();
    rig.pool().pause();
    rig.host().open();
    EXPECT_TRUE(rig.share().login_answers().is_doubtful());
    rig.pool().resume();
    EXPECT_TRUE(rig.share().login_answers().is_doubtful());
    rig.host().open();
    EXPECT_FALSE(waiter.waits);
    EXPECT_FALSE(rig.share().login_answers().is_doubtful());
}

TEST(Pause, keeps_no_least_number_of_servers_open) {
    PoolRig rig(config::Pool{.size = 2, .min_size = 2});
    rig.pool().pause();
    rig.advance(std::chrono::seconds(1));
    EXPECT_EQ(rig.dials(), 0U);
    rig.pool().resume();
    rig.advance(std::chrono::seconds(1));
    EXPECT_GT(rig.dials(), 0U);
}

}  // namespace
}  // namespace pgsluice::pool
