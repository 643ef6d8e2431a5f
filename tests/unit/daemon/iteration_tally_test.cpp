#include "iteration_tally.hpp"

#include <gtest/gtest.h>

namespace pgsluice::daemon {
namespace {

TEST(IterationTally, one_role_does_not_decide) {
    IterationTally tally;
    EXPECT_EQ(tally.most_common(), std::nullopt);
    tally.note(4096);
    tally.note(4096);
    tally.note(5000);
    EXPECT_EQ(tally.most_common(), 4096U);
    tally.note(5000);
    EXPECT_EQ(tally.most_common(), 4096U) << "the smaller of two that are met equally often";
    tally.note(5000);
    EXPECT_EQ(tally.most_common(), 5000U);
}

TEST(IterationTally, is_bounded) {
    IterationTally tally;
    for (std::uint32_t count = 1; count <= IterationTally::limit; ++count) EXPECT_TRUE(tally.note(count));
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(tally.note(1'000'000));
    EXPECT_EQ(tally.most_common(), 1U);
    tally.take_back(1);
    EXPECT_EQ(tally.most_common(), 2U);
    EXPECT_TRUE(tally.note(1'000'000)) << "in its place";
}

}  // namespace
}  // namespace pgsluice::daemon
