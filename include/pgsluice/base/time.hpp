// Time as the pure layers see it: points of the steady clock that are passed in, never read. A Milliseconds of zero in
// configuration means "off".
#pragma once

#include <chrono>

namespace pgsluice {

using TimePoint = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::milliseconds;
using Microseconds = std::chrono::microseconds;

constexpr TimePoint never = TimePoint::max();

// The point `after` later than `now`, or never where `after` is zero (off).
constexpr TimePoint deadline(TimePoint now, Milliseconds after) {
    return after == Milliseconds::zero() ? never : now + after;
}

}  // namespace pgsluice
