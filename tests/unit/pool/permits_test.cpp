// Permits, also where several threads want them at once, and pools of one (route, database, user) that share them.
#include <pgsluice/pool/permits.hpp>

#include <gtest/gtest.h>
#include <support/fake_pool_host.hpp>
#include <support/pool_rig.hpp>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace pgsluice::pool {
namespace {

using metrics::ServerClose;
using test::PoolClient;

TEST(Permits, are_given_back_above_a_limit_and_no_further) {
    Permits permits(2);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(permits.try_take(3));
    EXPECT_TRUE(permits.give_back_above(2));
    EXPECT_FALSE(permits.give_back_above(2));
    EXPECT_EQ(permits.open(), 2U);
}

TEST(Permits, are_as_many_as_the_limit) {
    Permits permits(1);
    EXPECT_TRUE(permits.try_take(2));
    EXPECT_TRUE(permits.try_take(2));
    EXPECT_FALSE(permits.try_take(2));
    EXPECT_EQ(permits.open(), 2U);
    permits.give_back();
    EXPECT_TRUE(permits.try_take(2));
}

TEST(Permits, a_lower_limit_lets_nobody_in_before_enough_have_gone) {
    Permits permits(1);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(permits.try_take(3));
    permits.give_back();
    EXPECT_FALSE(permits.try_take(1));
}

TEST(Permits, are_never_exceeded_by_threads_in_a_hurry) {
    constexpr std::uint32_t limit = 3;
    Permits permits(4);
    std::atomic<std::uint32_t> inside{0}, most{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 5000; ++round) {
                if (!permits.try_take(limit)) continue;
                const std::uint32_t now = ++inside;
                std::uint32_t seen = most.load();
                while (now > seen && !most.compare_exchange_weak(seen, now)) {
                }
                --inside;
                permits.give_back();
            }
        });
    }
    threads.clear();
    EXPECT_LE(most.load(), limit);
    EXPECT_EQ(permits.open(), 0U);
}

// --- Siblings: pools of two startup packets, on one worker

struct Siblings {
    explicit Siblings(std::uint32_t size, std::uint32_t min_size = 0) {
        auto target = std::make_shared<Target>();
        target->settings.size = size;
        target->settings.min_size = min_size;
        for (const char* key : {"one", "other"}) {
            auto share = std::make_shared<Share>(1, permits);
            pools.push_back(
                std::make_unique<Pool>(Pool::Setup{key, target, share, WorkerIndex{0}, &host, &host.pool_metrics()}));
        }
    }
    ~Siblings() {
        for (auto& client : clients) client->leave();
        while (host.dials() > 0) host.refuse(wire::fatal("57P03", "the end"));
        pools.clear();
        PGSLUICE_CHECK(permits->open() == 0 && !permits->claims().any());
    }
    Pool& one() { return *pools[0]; }
    Pool& other() { return *pools[1]; }
    PoolClient& asks(Pool& pool) {
        clients.push_back(std::make_unique<PoolClient>(pool));
        clients.back()->ask();
        return *clients.back();
    }
    PoolClient& holder(Pool& pool) {
        PoolClient& made = asks(pool);
        if (made.server == nullptr) host.open();
        return made;
    }
    // The worker's side of Host::make_room.
    void seek_room() {
        Pool& asker = *host.room_requests().front();
        host.room_requests().pop_front();
        Pool& sibling = &asker == &one() ? other() : one();
        asker.on_room_sought(sibling.evict_idle({nullptr, permits, &asker.share()}));
    }

    // The worker's side of Host::offer_room, until nobody offers any more.
    void take_offers() {
        while (!host.room_offers().empty()) {
            const bool is_one = host.room_offers().front() == "one";
            host.room_offers().pop_front();
            (is_one ? one() : other()).on_room_made();
        }
    }

    test::FakeClock clock;
    test::FakePoolHost host{clock};
    std::shared_ptr<Permits> permits = std::make_shared<Permits>(1);
    std::vector<std::unique_ptr<Pool>> pools;
    std::vector<std::unique_ptr<PoolClient>> clients;
};

TEST(Siblings, have_one_size_together) {
    Siblings pools(2);
    pools.holder(pools.one());
    pools.holder(pools.other());
    EXPECT_TRUE(pools.asks(pools.one()).waits);
    EXPECT_EQ(pools.host.dials(), 0U);
    EXPECT_EQ(pools.permits->open(), 2U);
}

TEST(Siblings, close_an_idle_server_for_one_that_lacks_a_permit) {
    Siblings pools(1);
    pools.holder(pools.one()).give_back();
    pools.asks(pools.other());
    EXPECT_EQ(pools.host.dials(), 0U);
    pools.seek_room();
    EXPECT_EQ(pools.host.closes, std::vector{ServerClose::evicted});
    EXPECT_EQ(pools.host.dials(), 1U);
    EXPECT_FALSE(pools.permits->claims().any());
}

TEST(Siblings, ask_for_room_once_at_a_time) {
    Siblings pools(1);
    pools.holder(pools.one());
    pools.asks(pools.other());
    pools.asks(pools.other());
    EXPECT_EQ(pools.host.room_requests().size(), 1U);
    pools.seek_room();
    EXPECT_TRUE(pools.host.room_requests().empty()) << "there was none: the next sweep asks again";
    pools.other().sweep(pools.clock.now());
    EXPECT_EQ(pools.host.room_requests().size(), 1U);
}

TEST(Siblings, close_a_server_that_comes_free_where_another_has_waited_longer) {
    Siblings pools(1);
    PoolClient& holder = pools.holder(pools.one());
    PoolClient& longest = pools.asks(pools.other());
    pools.clock.advance(Milliseconds(10));
    PoolClient& own = pools.asks(pools.one());
    holder.give_back();
    EXPECT_EQ(pools.host.closes, std::vector{ServerClose::evicted});
    EXPECT_EQ(pools.host.dials(), 0U) << "its own client is behind the other pool's";
    pools.take_offers();
    EXPECT_EQ(pools.host.dials(), 1U);
    EXPECT_EQ(pools.host.dials_of(pools.other()), 1U);
    pools.host.open();
    ASSERT_NE(longest.server, nullptr);
    longest.give_back();
    pools.take_offers();
    pools.host.open();
    EXPECT_NE(own.server, nullptr);
}

// A check-in of one that is of no use any more asks nobody who has waited longer: the permit does.
TEST(Siblings, leave_the_room_of_a_closed_server_to_one_that_has_waited_longer) {
    Siblings pools(1);
    PoolClient& holder = pools.holder(pools.one());
    pools.asks(pools.other());
    pools.clock.advance(Milliseconds(10));
    pools.asks(pools.one());
    holder.server->doom(ServerClose::unclean);
    holder.give_back();
    EXPECT_EQ(pools.host.dials(), 0U);
    pools.take_offers();
    EXPECT_EQ(pools.host.dials_of(pools.other()), 1U);
}

TEST(Siblings, leave_the_room_to_one_that_waits_where_nobody_else_does) {
    Siblings pools(1);
    PoolClient& holder = pools.holder(pools.one());
    pools.asks(pools.other());
    holder.server->doom(ServerClose::lifetime);
    holder.give_back();
    pools.take_offers();
    EXPECT_EQ(pools.host.dials_of(pools.other()), 1U);
}

// The permit is there, and the one that it was made for has not heard of it.
TEST(Siblings, have_no_newcomer_take_the_room_that_one_was_closed_for) {
    Siblings pools(1);
    PoolClient& holder = pools.holder(pools.one());
    pools.asks(pools.other());
    holder.give_back();
    ASSERT_EQ(pools.permits->open(), 0U);
    pools.clock.advance(Milliseconds(10));
    pools.asks(pools.one());
    pools.one().sweep(pools.clock.now());
    EXPECT_EQ(pools.host.dials(), 0U);
    pools.take_offers();
    EXPECT_EQ(pools.host.dials_of(pools.other()), 1U);
}

TEST(Siblings, fill_no_minimum_with_the_room_that_one_was_closed_for) {
    Siblings pools(1, 1);
    PoolClient& holder = pools.holder(pools.one());
    pools.asks(pools.other());
    holder.give_back();
    pools.one().sweep(pools.clock.now());
    EXPECT_EQ(pools.host.dials(), 0U);
    pools.take_offers();
    EXPECT_EQ(pools.host.dials_of(pools.other()), 1U);
}

TEST(Siblings, hand_on_the_room_that_one_was_closed_for_where_its_client_has_left) {
    Siblings pools(1);
    PoolClient& holder = pools.holder(pools.one());
    PoolClient& longest = pools.asks(pools.other());
    pools.clock.advance(Milliseconds(10));
    pools.asks(pools.one());
    holder.give_back();
    longest.leave();
    pools.take_offers();
    EXPECT_EQ(pools.host.dials_of(pools.one()), 1U);
}

TEST(Siblings, take_the_room_that_a_paused_one_has_claimed) {
    Siblings pools(1);
    PoolClient& holder = pools.holder(pools.one());
    pools.asks(pools.other());
    pools.clock.advance(Milliseconds(10));
    pools.asks(pools.one());
    pools.other().pause();
    holder.server->doom(ServerClose::lifetime);
    holder.give_back();
    EXPECT_EQ(pools.host.dials_of(pools.one()), 1U);
}

TEST(Siblings, keep_a_server_that_comes_free_for_their_own_client_where_it_has_waited_longer) {
    Siblings pools(1);
    PoolClient& holder = pools.holder(pools.one());
    PoolClient& own = pools.asks(pools.one());
    pools.clock.advance(Milliseconds(10));
    pools.asks(pools.other());
    holder.give_back();
    EXPECT_NE(own.server, nullptr);
    EXPECT_TRUE(pools.host.closes.empty());
}

TEST(Siblings, close_one_server_for_one_that_claims_it_and_not_each_that_comes_free) {
    Siblings pools(2);
    PoolClient& first = pools.holder(pools.one());
    PoolClient& second = pools.holder(pools.one());
    pools.asks(pools.other());
    first.give_back();
    second.give_back();
    EXPECT_EQ(pools.host.closes, std::vector{ServerClose::evicted});
}

TEST(Siblings, take_the_room_that_one_has_claimed_whose_server_refuses) {
    Siblings pools(3);
    pools.holder(pools.one());
    pools.holder(pools.other());
    pools.asks(pools.other());
    pools.asks(pools.other());
    pools.clock.advance(Milliseconds(10));
    pools.asks(pools.one());
    pools.host.refuse(wire::fatal("08006", "no"));
    pools.take_offers();
    EXPECT_EQ(pools.host.dials_of(pools.one()), 1U);
}

TEST(Siblings, claim_by_the_client_that_nothing_is_being_opened_for) {
    Siblings pools(2);
    PoolClient& holder = pools.holder(pools.one());
    pools.asks(pools.other());
    pools.clock.advance(Milliseconds(10));
    PoolClient& own = pools.asks(pools.one());
    pools.clock.advance(Milliseconds(10));
    pools.asks(pools.other());
    holder.give_back();
    EXPECT_NE(own.server, nullptr) << "the other's first client has its dial, and the second came later";
}

TEST(Siblings, go_by_the_client_behind_where_the_first_has_been_served) {
    Siblings pools(2);
    PoolClient& holder = pools.holder(pools.one());
    PoolClient& of_other = pools.holder(pools.other());
    pools.asks(pools.other());
    pools.clock.advance(Milliseconds(10));
    PoolClient& own = pools.asks(pools.one());
    pools.clock.advance(Milliseconds(10));
    pools.asks(pools.other());
    of_other.give_back();
    holder.give_back();
    EXPECT_NE(own.server, nullptr);
    EXPECT_TRUE(pools.host.closes.empty());
}

TEST(Siblings, show_their_size_once) {
    Siblings pools(3);
    for (auto& pool : pools.pools) pool->sweep(pools.clock.now());
    EXPECT_EQ(pools.host.pool_metrics().size_limit.value(), 3);
    pools.pools.erase(pools.pools.begin());
    pools.pools.front()->sweep(pools.clock.now());
    EXPECT_EQ(pools.host.pool_metrics().size_limit.value(), 3);
}

TEST(Siblings, are_not_full_of_connections_that_a_limit_beside_their_size_leaves_no_place) {
    Siblings siblings(1);
    siblings.asks(siblings.one());
    EXPECT_TRUE(siblings.one().is_full());
    siblings.permits->begin_lacking();
    EXPECT_FALSE(siblings.one().is_full());
    siblings.asks(siblings.other());
    EXPECT_EQ(siblings.host.dials(), 1U) << "the permit is taken all the same";
    EXPECT_EQ(siblings.host.room_requests().size(), 1U);
    siblings.permits->end_lacking();
    EXPECT_TRUE(siblings.one().is_full());
    siblings.host.room_requests().clear();
}

}  // namespace
}  // namespace pgsluice::pool
