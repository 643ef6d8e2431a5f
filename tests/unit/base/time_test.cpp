#include <pgsluice/base/time.hpp>

#include <gtest/gtest.h>

namespace pgsluice {

TEST(Deadline, zero_means_off) {
    const TimePoint now = TimePoint{} + std::chrono::hours(1);
    EXPECT_EQ(deadline(now, Milliseconds(0)), never);
    EXPECT_EQ(deadline(now, Milliseconds(250)) - now, Milliseconds(250));
    EXPECT_LT(deadline(now, Milliseconds(250)), never);
}

}  // namespace pgsluice
