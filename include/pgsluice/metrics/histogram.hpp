// Durations counted in fixed buckets from 50 µs to 60 s. Owning thread writes, any thread reads; two plain stores for
// an observation and no search.
#pragma once

#include <pgsluice/base/time.hpp>
#include <pgsluice/metrics/counter.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace pgsluice::metrics {

class Histogram {
  public:
    // Upper bounds in microseconds, inclusive as in Prometheus; one more bucket takes what is longer. Neighbours are at
    // least a factor of two apart, so at most one bound falls between two powers of two: bucket_of depends on it.
    static constexpr std::array<std::uint64_t, 19> bounds{
        50,      100,     200,     500,       1'000,     2'000,     5'000,      10'000,     20'000,    50'000,
        100'000, 200'000, 500'000, 1'000'000, 2'000'000, 5'000'000, 10'000'000, 20'000'000, 60'000'000};
    static constexpr std::size_t bucket_count = bounds.size() + 1;

    void observe(Microseconds duration) noexcept {
        const auto micros = static_cast<std::uint64_t>(std::max<Microseconds::rep>(duration.count(), 0));
        buckets_[bucket_of(micros)].add();
        sum_micros_.add(micros);
    }

    std::uint64_t bucket(std::size_t index) const noexcept { return buckets_[index].value(); }
    std::uint64_t sum_micros() const noexcept { return sum_micros_.value(); }

    static constexpr std::size_t bucket_of(std::uint64_t micros) noexcept {
        const std::size_t first = first_bucket[static_cast<std::size_t>(std::bit_width(micros))];
        return first + static_cast<std::size_t>(micros > padded_bounds[first]);
    }

  private:
    static constexpr auto padded_bounds = [] {
        std::array<std::uint64_t, bucket_count> padded{};
        std::copy(bounds.begin(), bounds.end(), padded.begin());
        padded.back() = UINT64_MAX;
        return padded;
    }();
    // By bit width: the bucket of the smallest number of that width.
    static constexpr auto first_bucket = [] {
        std::array<std::uint8_t, 65> first{};
        for (std::size_t width = 0; width < first.size(); ++width) {
            const std::uint64_t smallest = width == 0 ? 0 : std::uint64_t{1} << (width - 1);
            const auto bound = std::lower_bound(bounds.begin(), bounds.end(), smallest);
            first[width] = static_cast<std::uint8_t>(bound - bounds.begin());
        }
        return first;
    }();

    std::array<Counter, bucket_count> buckets_{};
    Counter sum_micros_;
};

}  // namespace pgsluice::metrics
