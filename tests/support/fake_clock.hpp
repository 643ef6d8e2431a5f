// Time that moves only when a test says so. It does not begin at zero, so that a forgotten TimePoint{} is noticed.
#pragma once

#include <pgsluice/base/time.hpp>

namespace pgsluice::test {

class FakeClock {
  public:
    TimePoint now() const { return now_; }
    TimePoint advance(TimePoint::duration by) { return now_ += by; }

  private:
    TimePoint now_ = TimePoint{} + std::chrono::hours(1000);
};

}  // namespace pgsluice::test
