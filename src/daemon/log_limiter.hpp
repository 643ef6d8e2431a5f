// At most so many lines a second of one event, so that an event that a stranger can cause at will neither fills the
// disk nor hides the others. Any thread.
#pragma once

#include <pgsluice/base/time.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgsluice::daemon {

class LogLimiter {
  public:
    using Suppressed = std::vector<std::pair<std::string, std::uint64_t>>;  // event, lines left out

    explicit LogLimiter(std::uint32_t lines_per_second) : limit_(lines_per_second) {}

    // True where a line of this event may be written now. Moves to `ended` what bursts that are over have cost.
    bool admit(std::string_view event, TimePoint now, Suppressed& ended);
    // What the bursts that are not over have cost so far.
    Suppressed take_all();

  private:
    struct Window {
        TimePoint began;
        std::uint32_t lines = 0;
        std::uint64_t suppressed = 0;
    };

    void end_bursts(TimePoint now, Suppressed& ended);

    const std::uint32_t limit_;
    std::mutex mutex_;
    std::map<std::string, Window, std::less<>> windows_;  // as many as there are event names in the code
    TimePoint next_check_ = never;                        // when a burst may be over; never where nothing is suppressed
};

}  // namespace pgsluice::daemon
