#include <pgsluice/metrics/histogram.hpp>

#include <gtest/gtest.h>

namespace pgsluice::metrics {
namespace {

std::size_t bucket_by_search(std::uint64_t micros) {
    const auto bound = std::lower_bound(Histogram::bounds.begin(), Histogram::bounds.end(), micros);
    return static_cast<std::size_t>(bound - Histogram::bounds.begin());
}

TEST(Histogram, FindsTheBucketThatASearchFindsAroundEveryBoundAndPowerOfTwo) {
    for (const std::uint64_t bound : Histogram::bounds) {
        for (const std::uint64_t micros : {bound - 1, bound, bound + 1})
            EXPECT_EQ(Histogram::bucket_of(micros), bucket_by_search(micros)) << micros;
    }
    for (int bit = 0; bit < 64; ++bit) {
        const std::uint64_t power = std::uint64_t{1} << bit;
        for (const std::uint64_t micros : {power - 1, power, power + 1})
            EXPECT_EQ(Histogram::bucket_of(micros), bucket_by_search(micros)) << micros;
    }
    EXPECT_EQ(Histogram::bucket_of(UINT64_MAX), Histogram::bounds.size());
}

TEST(Histogram, RunsFromFiftyMicrosecondsToAMinuteInAboutTwentyBuckets) {
    EXPECT_EQ(Histogram::bounds.front(), 50u);
    EXPECT_EQ(Histogram::bounds.back(), 60'000'000u);
    EXPECT_EQ(Histogram::bucket_count, 20u);
}

TEST(Histogram, CountsAndSums) {
    Histogram histogram;
    histogram.observe(Microseconds(50));
    histogram.observe(Microseconds(51));
    histogram.observe(std::chrono::hours(1));
    EXPECT_EQ(histogram.bucket(0), 1u);
    EXPECT_EQ(histogram.bucket(1), 1u);
    EXPECT_EQ(histogram.bucket(Histogram::bounds.size()), 1u);
    EXPECT_EQ(histogram.sum_micros(), 101u + 3'600'000'000u);
}

TEST(Histogram, TakesANegativeDurationForZero) {
    Histogram histogram;
    histogram.observe(Microseconds(-5));
    EXPECT_EQ(histogram.bucket(0), 1u);
    EXPECT_EQ(histogram.sum_micros(), 0u);
}

}  // namespace
}  // namespace pgsluice::metrics
