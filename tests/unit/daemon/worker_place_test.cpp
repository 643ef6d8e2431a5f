#include "worker_place.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace pgsluice::daemon {
namespace {

TEST(WorkerPlace, is_given_back_once_wherever_it_has_been_moved) {
    metrics::SharedGauge clients;
    {
        WorkerPlace taken(clients);
        EXPECT_EQ(clients.value(), 1);
        WorkerPlace moved(std::move(taken));
        EXPECT_EQ(clients.value(), 1);
        WorkerPlace kept;
        kept = std::move(moved);
        EXPECT_EQ(clients.value(), 1);
        const WorkerPlace other(clients);
        EXPECT_EQ(clients.value(), 2);
    }
    EXPECT_EQ(clients.value(), 0);
}

TEST(FewestInTurn, a_burst_is_spread_evenly) {
    FewestInTurn spread;
    std::array<metrics::SharedGauge, 3> clients;
    std::vector<WorkerPlace> places;
    for (int i = 0; i < 30; ++i) {
        places.emplace_back(clients[spread.next(3, [&](std::size_t each) { return clients[each].value(); })]);
    }
    for (const auto& count : clients) EXPECT_EQ(count.value(), 10);
}

TEST(FewestInTurn, those_that_come_and_go_one_at_a_time_are_not_all_of_one_worker) {
    FewestInTurn spread;
    std::array<int, 3> chosen{};
    for (int i = 0; i < 30; ++i) ++chosen[spread.next(3, [](std::size_t) { return 0; })];
    EXPECT_EQ(chosen, (std::array<int, 3>{10, 10, 10}));
}

TEST(FewestInTurn, whoever_has_fewer_goes_before_whose_turn_it_is) {
    FewestInTurn spread;
    std::array<int, 3> clients{5, 0, 5};
    for (int i = 0; i < 5; ++i) ++clients[spread.next(3, [&](std::size_t each) { return clients[each]; })];
    EXPECT_EQ(clients, (std::array<int, 3>{5, 5, 5}));
}

}  // namespace
}  // namespace pgsluice::daemon
