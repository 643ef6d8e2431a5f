// How long the messages of one connection are looked at before others have their turn, by a clock that is read now and
// then.
#pragma once

#include <pgsluice/base/time.hpp>

namespace pgsluice {

class TimeSlice {
  public:
    explicit TimeSlice(TimePoint began) : began_(began) {}

    // Asked ahead of each message.
    template <class ReadClock>
    bool is_over(ReadClock read_clock) {
        return ++messages_ % messages_per_look == 0 && read_clock() - began_ >= longest;
    }

  private:
    static constexpr Milliseconds longest{1};
    // The dearest is a ParameterStatus, with a set of settings to be copied for it.
    static constexpr unsigned messages_per_look = 8;

    TimePoint began_;
    unsigned messages_ = 0;
};

}  // namespace pgsluice
