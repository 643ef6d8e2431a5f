// Tickets, also where several threads want them at once.
#include <pgsluice/pool/share.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <set>
#include <thread>
#include <vector>

namespace pgsluice::pool {
namespace {

constexpr TimePoint early = TimePoint{} + Milliseconds(1000);
constexpr TimePoint late = TimePoint{} + Milliseconds(2000);

TEST(Tickets, are_called_oldest_first) {
    Share share(2, std::make_shared<Permits>(2));
    const auto first = share.enqueue(WorkerIndex{1}, early);
    const auto second = share.enqueue(WorkerIndex{0}, late);
    EXPECT_TRUE(share.anybody_waits());
    EXPECT_EQ(share.oldest(), early);
    const auto called = share.call();
    ASSERT_TRUE(called);
    EXPECT_EQ(called->ticket, first);
    EXPECT_EQ(called->worker, WorkerIndex{1});
    EXPECT_EQ(called->since, early);
    EXPECT_EQ(share.call()->ticket, second);
    EXPECT_FALSE(share.call());
    EXPECT_FALSE(share.anybody_waits());
    EXPECT_FALSE(share.oldest());
}

TEST(Tickets, that_are_withdrawn_are_not_called) {
    Share share(1, std::make_shared<Permits>(1));
    const auto first = share.enqueue(WorkerIndex{0}, early);
    const auto second = share.enqueue(WorkerIndex{0}, late);
    EXPECT_TRUE(share.withdraw(first));
    EXPECT_FALSE(share.withdraw(first));
    EXPECT_EQ(share.oldest(), late);
    EXPECT_EQ(share.call()->ticket, second);
    EXPECT_FALSE(share.withdraw(second));
}

TEST(Tickets, that_are_put_back_stand_where_they_stood) {
    Share share(1, std::make_shared<Permits>(1));
    for (int i = 0; i < 4; ++i) share.enqueue(WorkerIndex{0}, early);
    const auto first = *share.call();
    const auto second = *share.call();
    const auto third = *share.call();
    share.put_back(second);
    EXPECT_TRUE(share.anybody_waits());
    share.put_back(third);
    share.put_back(first);
    std::vector<Share::Ticket> order;
    while (const auto called = share.call()) order.push_back(called->ticket);
    EXPECT_EQ(order.size(), 4U);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(Tickets, are_called_once_each_by_threads_in_a_hurry) {
    constexpr std::size_t tickets = 2000;
    Share share(2, std::make_shared<Permits>(2));
    std::array<std::vector<Share::Ticket>, 2> called;
    std::atomic<std::size_t> gone{0};
    {
        std::vector<std::jthread> threads;
        threads.emplace_back([&] {
            for (std::size_t i = 0; i < tickets; ++i) {
                const auto ticket = share.enqueue(WorkerIndex{0}, early);
                if (i % 3 == 0 && share.withdraw(ticket)) ++gone;
            }
        });
        for (auto& mine : called) {
            threads.emplace_back([&] {
                while (gone.load() < tickets) {
                    const auto one = share.call();
                    if (!one) continue;
                    mine.push_back(one->ticket);
                    ++gone;
                }
            });
        }
    }
    std::set<Share::Ticket> once(called[0].begin(), called[0].end());
    for (const auto ticket : called[1]) EXPECT_TRUE(once.insert(ticket).second);
    EXPECT_FALSE(share.anybody_waits());
}

TEST(IdleServers, are_found_on_other_workers_only) {
    Share share(3, std::make_shared<Permits>(3));
    EXPECT_FALSE(share.somebody_idle(WorkerIndex{0}));
    share.add_idle(WorkerIndex{0});
    EXPECT_FALSE(share.somebody_idle(WorkerIndex{0}));
    EXPECT_EQ(share.somebody_idle(WorkerIndex{1}), WorkerIndex{0});
    share.add_idle(WorkerIndex{2});
    EXPECT_EQ(share.somebody_idle(WorkerIndex{0}), WorkerIndex{2});
    share.remove_idle(WorkerIndex{2});
    EXPECT_FALSE(share.somebody_idle(WorkerIndex{0}));
}

}  // namespace
}  // namespace pgsluice::pool
