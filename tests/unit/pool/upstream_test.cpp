// One server of a cluster, over all pools: its caps, and whether it is worth trying.
#include <pgsluice/pool/upstream.hpp>

#include <gtest/gtest.h>

namespace pgsluice::pool {
namespace {

using Permit = Upstream::Permit;

TEST(Upstream, lets_only_so_many_connect_at_a_time) {
    Upstream upstream;
    EXPECT_EQ(upstream.begin_connecting(0, 1), Permit::granted);
    EXPECT_EQ(upstream.begin_connecting(0, 1), Permit::too_many_connecting);
    upstream.end_connecting();
    EXPECT_EQ(upstream.begin_connecting(0, 1), Permit::granted);
    EXPECT_EQ(upstream.open(), 2U);
}

// One that may not have a connection must not keep others from connecting.
TEST(Upstream, at_its_cap_counts_nobody_as_connecting) {
    Upstream upstream;
    EXPECT_EQ(upstream.begin_connecting(1, 2), Permit::granted);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(upstream.begin_connecting(1, 2), Permit::at_cap);
    upstream.closed();
    EXPECT_EQ(upstream.begin_connecting(1, 2), Permit::granted);
    EXPECT_EQ(upstream.open(), 1U);
}

TEST(Upstream, that_has_no_caps_grants_everything) {
    Upstream upstream;
    for (int i = 0; i < 100; ++i) EXPECT_EQ(upstream.begin_connecting(0, 0), Permit::granted);
    EXPECT_EQ(upstream.open(), 100U);
}

TEST(Upstream, is_down_until_a_time_or_a_success) {
    const TimePoint now = TimePoint{} + Milliseconds(1000);
    Upstream upstream;
    EXPECT_FALSE(upstream.is_down(now));
    upstream.mark_down(now + Milliseconds(10));
    EXPECT_TRUE(upstream.is_down(now + Milliseconds(9)));
    EXPECT_FALSE(upstream.is_down(now + Milliseconds(10)));
    upstream.mark_down(now + Milliseconds(10));
    upstream.mark_up();
    EXPECT_FALSE(upstream.is_down(now));
}

}  // namespace
}  // namespace pgsluice::pool
