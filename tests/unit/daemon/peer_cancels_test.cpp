#include "peer_cancels.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace pgsluice::daemon {
namespace {

TEST(PeerCancels, so_many_are_sent_on_at_a_time_and_no_more) {
    PeerCancels cancels(1);
    std::vector<PeerCancels::Place> places;
    for (std::size_t i = 0; i < PeerCancels::at_once; ++i) {
        places.push_back(cancels.enter());
        EXPECT_TRUE(places.back());
    }
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(cancels.enter());
    places.pop_back();
    EXPECT_TRUE(cancels.enter());
}

}  // namespace
}  // namespace pgsluice::daemon
