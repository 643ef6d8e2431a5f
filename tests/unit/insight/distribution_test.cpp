#include <pgsluice/insight/distribution.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace pgsluice::insight {
namespace {

constexpr std::int64_t hour = 3'600'000'000;  // microseconds

TEST(Distribution, a_quantile_of_one_duration_is_at_most_a_tenth_off_up_to_an_hour_less_the_last_bucket) {
    for (double at = 1; at < 3'000'000'000; at = std::max(at + 1, at * 1.01)) {
        const auto micros = static_cast<std::int64_t>(at);
        Distribution distribution;
        distribution.add(Microseconds(micros));
        const double told = distribution.quantile(0.5).count();
        EXPECT_NEAR(told, static_cast<double>(micros), 0.1 * static_cast<double>(micros)) << micros;
    }
}

TEST(Distribution, buckets_follow_each_other_without_gaps) {
    std::size_t before = 0;
    for (std::int64_t micros = 0; micros < 100'000; ++micros) {
        const std::size_t bucket = Distribution::bucket_of(Microseconds(micros));
        EXPECT_GE(bucket, before) << micros;
        before = bucket;
    }
    for (int bit = 0; bit < 63; ++bit) {
        const auto power = std::int64_t{1} << bit;
        EXPECT_LE(Distribution::bucket_of(Microseconds(power - 1)), Distribution::bucket_of(Microseconds(power)));
        EXPECT_LT(Distribution::bucket_of(Microseconds(power)), Distribution::bucket_count);
    }
}

TEST(Distribution, zero_and_less_are_zero_and_what_is_too_long_is_in_the_last_bucket) {
    EXPECT_EQ(Distribution::bucket_of(Microseconds(0)), 0u);
    EXPECT_EQ(Distribution::bucket_of(Microseconds(-7)), 0u);
    EXPECT_EQ(Distribution::bucket_of(Microseconds(hour)), Distribution::bucket_count - 1);
    EXPECT_EQ(Distribution::bucket_of(Microseconds::max()), Distribution::bucket_count - 1);
    Distribution distribution;
    distribution.add(Microseconds(0));
    EXPECT_EQ(distribution.quantile(1).count(), 0);
}

TEST(Distribution, of_nothing_every_quantile_is_zero) {
    EXPECT_EQ(Distribution().quantile(0.99).count(), 0);
}

TEST(Distribution, quantiles_of_many_durations_are_at_most_a_tenth_off) {
    std::mt19937_64 random(42);
    std::lognormal_distribution<double> durations(8, 2);
    std::vector<double> all;
    Distribution distribution;
    for (int i = 0; i < 20'000; ++i) {
        const auto micros = static_cast<std::int64_t>(durations(random)) + 1;
        all.push_back(static_cast<double>(micros));
        distribution.add(Microseconds(micros));
    }
    std::sort(all.begin(), all.end());
    for (const double fraction : {0.01, 0.5, 0.95, 0.99, 0.999}) {
        const double exact = all[static_cast<std::size_t>(std::ceil(fraction * 20'000)) - 1];
        EXPECT_NEAR(distribution.quantile(fraction).count(), exact, 0.1 * exact) << fraction;
    }
}

TEST(Distribution, the_sum_of_two_is_that_of_all_durations) {
    Distribution fast, slow;
    for (int i = 0; i < 90; ++i) fast.add(Microseconds(100));
    for (int i = 0; i < 10; ++i) slow.add(Microseconds(1'000'000));
    fast.add(slow);
    EXPECT_NEAR(fast.quantile(0.9).count(), 100, 10);
    EXPECT_NEAR(fast.quantile(0.91).count(), 1'000'000, 100'000);
}

// Doubling reaches full counters in a few steps.
TEST(Distribution, full_counters_are_halved_and_keep_their_proportion) {
    Distribution distribution;
    for (int i = 0; i < 3; ++i) distribution.add(Microseconds(100));
    distribution.add(Microseconds(50'000));
    for (int i = 0; i < 40; ++i) {
        const Distribution same = distribution;
        distribution.add(same);
    }
    EXPECT_NEAR(distribution.quantile(0.74).count(), 100, 10);
    EXPECT_NEAR(distribution.quantile(0.76).count(), 50'000, 5'000);
    for (int i = 0; i < 10; ++i) distribution.add(Microseconds(100));
    EXPECT_NEAR(distribution.quantile(0.74).count(), 100, 10);
}

}  // namespace
}  // namespace pgsluice::insight
