#include "gates.hpp"

#include <gtest/gtest.h>

namespace pgsluice::daemon {
namespace {

class Following : public testing::Test {
  protected:
    Gates gates;
    const std::shared_ptr<const int> snapshot = std::make_shared<int>(1);
    const std::shared_ptr<const int> next = std::make_shared<int>(2);
};

TEST_F(Following, a_pause_goes_along_where_a_route_is_pointed) {
    gates.pause("blue");
    gates.follow("blue", "green", snapshot);
    EXPECT_TRUE(gates.is_paused("green"));
    EXPECT_TRUE(gates.is_paused("blue"));
}

TEST_F(Following, what_is_not_paused_any_more_is_not_paused_by_a_worker_that_still_was) {
    gates.pause("blue");
    gates.resume("blue");
    gates.follow("blue", "blue", snapshot);
    gates.follow("blue", "green", snapshot);
    EXPECT_FALSE(gates.is_paused("blue"));
    EXPECT_FALSE(gates.is_paused("green"));
}

TEST_F(Following, what_has_been_resumed_is_not_paused_again_by_the_next_worker) {
    gates.pause("blue");
    gates.follow("blue", "green", snapshot);
    gates.resume("green");
    gates.follow("blue", "green", snapshot);
    EXPECT_FALSE(gates.is_paused("green"));
}

TEST_F(Following, each_snapshot_is_followed_anew) {
    gates.pause("blue");
    gates.follow("blue", "green", snapshot);
    gates.resume("green");
    gates.follow("blue", "green", next);
    EXPECT_TRUE(gates.is_paused("green"));
}

}  // namespace
}  // namespace pgsluice::daemon
