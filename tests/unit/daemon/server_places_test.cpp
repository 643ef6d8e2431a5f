// ServerPlaces come back whichever way a dial ends. How they are waited for: tests/e2e/test_user_servers.py,
// test_connecting.py.
#include "server_places.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace pgsluice::daemon {
namespace {

using Permit = pool::Upstream::Permit;

struct HeldPlacesTest : testing::Test {
    // One place of each, and one turn.
    HeldPlaces take() {
        EXPECT_EQ(upstream->begin_connecting(1, 1), Permit::granted);
        EXPECT_TRUE(user->try_take(1));
        return {upstream, user};
    }
    std::shared_ptr<pool::Upstream> upstream = std::make_shared<pool::Upstream>();
    std::shared_ptr<pool::ServerPlaces> user = std::make_shared<pool::ServerPlaces>();
};

TEST_F(HeldPlacesTest, an_exception_gives_all_back) {
    const auto fail = [this] {
        const HeldPlaces held = take();
        throw std::runtime_error("no memory");
    };
    for (int i = 0; i < 3; ++i) EXPECT_THROW(fail(), std::runtime_error);
    EXPECT_EQ(upstream->open(), 0U);
    EXPECT_EQ(user->open(), 0U);
}

TEST_F(HeldPlacesTest, who_has_connected_keeps_its_places_and_leaves_its_turn_to_the_next) {
    HeldPlaces held = take();
    held.end_connecting();
    held.end_connecting();
    EXPECT_EQ(upstream->begin_connecting(1, 1), Permit::at_cap);
    EXPECT_EQ(user->open(), 1U);
}

TEST_F(HeldPlacesTest, moved_places_are_given_back_once) {
    {
        HeldPlaces held = take();
        HeldPlaces taken_over = std::move(held);
        held = HeldPlaces();
        HeldPlaces assigned;
        assigned = std::move(taken_over);
        EXPECT_EQ(user->open(), 1U);
    }
    EXPECT_EQ(upstream->open(), 0U);
    EXPECT_EQ(user->open(), 0U);
}

TEST_F(HeldPlacesTest, a_server_that_has_them_gives_them_back_itself) {
    { take().hand_over(); }
    EXPECT_EQ(upstream->open(), 1U);
    EXPECT_EQ(user->open(), 1U);
    EXPECT_EQ(upstream->begin_connecting(2, 1), Permit::granted) << "its turn is over all the same";
}

}  // namespace
}  // namespace pgsluice::daemon
