// How durations are spread, from one microsecond to an hour, in half a kilobyte: enough for quantiles that are at most
// a tenth off.
#pragma once

#include <pgsluice/base/time.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace pgsluice::insight {

// Fractions of a microsecond too: a whole number would be more than a tenth off where durations are short.
using MicrosecondsAndParts = std::chrono::duration<double, std::micro>;

// Four buckets for each power of two, each a fourth root of two as wide as the one below it, and one for zero. The
// middle of such a bucket is 9 % off its ends.
class Distribution {
  public:
    static constexpr std::size_t buckets_per_octave = 4;
    static constexpr std::size_t bucket_count = 128;  // the last takes what is longer than 51 minutes

    void add(Microseconds duration) noexcept {
        std::uint32_t& counter = counters_[bucket_of(duration)];
        if (counter == most) halve();
        ++counter;
    }
    void add(const Distribution& other) noexcept;

    // The duration that `fraction` of all (0 to 1) do not exceed; zero where there is none.
    MicrosecondsAndParts quantile(double fraction) const;

    static constexpr std::size_t bucket_of(Microseconds duration) noexcept {
        if (duration <= Microseconds::zero()) return 0;
        const auto micros = static_cast<std::uint64_t>(duration.count());
        const auto octave = static_cast<std::size_t>(std::bit_width(micros)) - 1;
        const std::uint64_t scaled = micros << (63 - octave);
        const std::size_t step =
            std::size_t{scaled >= roots[0]} + std::size_t{scaled >= roots[1]} + std::size_t{scaled >= roots[2]};
        return std::min(1 + octave * buckets_per_octave + step, bucket_count - 1);
    }

  private:
    static constexpr std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
    // 2^63 times the fourth root of two, its square and its cube.
    static constexpr std::array<std::uint64_t, 3> roots{0x9837F0518DB8A96F, 0xB504F333F9DE6484, 0xD744FCCAD69D6AF4};

    // Where a counter is full all are halved: the shape stays, and what is new counts for more than what is old.
    void halve() noexcept;

    std::array<std::uint32_t, bucket_count> counters_{};
};

}  // namespace pgsluice::insight
