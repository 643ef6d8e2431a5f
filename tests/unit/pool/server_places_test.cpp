// The places of one kind over all pools, and who of those that want the last one gets it.
#include <pgsluice/pool/upstream.hpp>

#include <gtest/gtest.h>
#include <support/pool_rig.hpp>

namespace pgsluice::pool {
namespace {

using metrics::ServerClose;
using test::PoolClient;
using test::PoolRig;

// Of a pool that is none of a test's own.
Claim claim(TimePoint since) {
    return {nullptr, WorkerIndex{7}, since};
}

TEST(ServerPlaces, are_as_many_as_the_limit_and_counted_without_one) {
    ServerPlaces places;
    EXPECT_TRUE(places.try_take(2));
    EXPECT_TRUE(places.try_take(0));
    EXPECT_FALSE(places.try_take(2));
    EXPECT_TRUE(places.try_take(3));
    places.closed();
    EXPECT_EQ(places.open(), 2U);
    EXPECT_FALSE(places.try_take(2));
}

TEST(ServerPlaces, makes_one_pool_yield_to_one_that_has_waited_longer_than_its_patience) {
    const TimePoint begun{std::chrono::hours(1)}, late = begun + ServerPlaces::patience;
    const Share own(1, std::make_shared<Permits>(1));
    ServerPlaces places;
    EXPECT_FALSE(places.must_yield(&own, never, late));
    places.claims().enter(claim(begun));
    EXPECT_TRUE(places.claims().any());
    EXPECT_FALSE(places.must_yield(&own, never, late - Milliseconds(1)));
    EXPECT_FALSE(places.must_yield(&own, begun, late)) << "its own has waited as long";
    EXPECT_TRUE(places.must_yield(&own, begun + Milliseconds(1), late));
    EXPECT_FALSE(places.must_yield(&own, never, late)) << "one is enough";
    EXPECT_TRUE(places.is_kept(late));
    places.take_kept();
    EXPECT_FALSE(places.is_kept(late));
}

TEST(ServerPlaces, keeps_a_place_for_the_one_that_has_waited_longest) {
    const TimePoint begun{std::chrono::hours(1)}, late = begun + ServerPlaces::patience * 2;
    const Share own(1, std::make_shared<Permits>(1)), other(1, std::make_shared<Permits>(1));
    ServerPlaces places;
    places.claims().enter({&other, WorkerIndex{0}, begun});
    EXPECT_FALSE(places.is_kept_from(&own, never, late));
    ASSERT_TRUE(places.must_yield(&own, begun + Milliseconds(1), late));
    EXPECT_TRUE(places.is_kept_from(&own, begun + Milliseconds(1), late)) << "who has yielded it";
    EXPECT_FALSE(places.is_kept_from(&other, begun, late));
    EXPECT_TRUE(places.is_kept_from(&other, late, late)) << "its client of then has been served";
    EXPECT_FALSE(places.is_kept_from(&own, begun + Milliseconds(1), late + Milliseconds(100)));
}

TEST(UserPlaces, are_given_back_by_a_server_that_is_closed_or_lost_on_its_way) {
    PoolRig rig({.pool = {.size = 2}, .workers = 2});
    PoolClient& holder = rig.holder(0);
    PoolClient& other = rig.holder(0);
    EXPECT_EQ(rig.user_places()->open(), 2U);
    rig.pool(0).discard(*std::exchange(holder.server, nullptr), ServerClose::unclean);
    EXPECT_EQ(rig.user_places()->open(), 1U);
    rig.asks(1);
    while (rig.dials() > 0) rig.refuse(true);
    other.give_back();
    rig.lose_what_moves();
    EXPECT_EQ(rig.user_places()->open(), 0U);
}

TEST(UserPlaces, of_a_busy_pool_come_free_for_another_that_has_waited_long_enough) {
    PoolRig rig({.pool = {.size = 1}, .max_user_connections = 1});
    PoolClient& holder = rig.holder();
    PoolClient& next = rig.asks();
    rig.user_places()->claims().enter(claim(rig.clock().now() - Milliseconds(1)));
    holder.give_back();
    EXPECT_NE(next.server, nullptr) << "its patience is not at an end";
    rig.clock().advance(ServerPlaces::patience);
    rig.asks();
    next.give_back();
    EXPECT_EQ(rig.host().closes, std::vector{ServerClose::evicted});
    EXPECT_TRUE(rig.user_places()->is_kept(rig.clock().now()));
}

TEST(UserPlaces, are_not_claimed_where_the_user_has_no_limit) {
    PoolRig rig;
    PoolClient& holder = rig.holder();
    rig.user_places()->claims().enter(claim(rig.clock().now() - ServerPlaces::patience * 2));
    holder.give_back();
    EXPECT_EQ(rig.idle(), 1);
}

TEST(UserPlaces, are_made_by_the_server_that_has_been_idle_longest) {
    PoolRig rig;
    rig.holder().give_back();
    EXPECT_TRUE(rig.pool().evict_idle({rig.user_places(), nullptr, nullptr}));
    EXPECT_EQ(rig.host().closes, std::vector{ServerClose::evicted});
}

}  // namespace
}  // namespace pgsluice::pool
