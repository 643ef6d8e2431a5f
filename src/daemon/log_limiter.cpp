#include "log_limiter.hpp"

#include <algorithm>

namespace pgsluice::daemon {
namespace {

constexpr std::chrono::seconds window_length{1};

}  // namespace

bool LogLimiter::admit(std::string_view event, TimePoint now, Suppressed& ended) {
    const std::scoped_lock lock(mutex_);
    if (now >= next_check_) end_bursts(now, ended);
    auto found = windows_.find(event);
    if (found == windows_.end()) found = windows_.emplace(event, Window{.began = now}).first;
    Window& window = found->second;
    if (now - window.began >= window_length) window = {.began = now, .suppressed = window.suppressed};
    if (window.lines < limit_) {
        ++window.lines;
        return true;
    }
    ++window.suppressed;
    next_check_ = std::min(next_check_, window.began + window_length);
    return false;
}

void LogLimiter::end_bursts(TimePoint now, Suppressed& ended) {
    next_check_ = never;
    for (auto& [event, window] : windows_) {
        if (window.suppressed == 0) continue;
        if (now - window.began < window_length) {
            next_check_ = std::min(next_check_, window.began + window_length);
        } else {
            ended.emplace_back(event, std::exchange(window.suppressed, 0));
        }
    }
}

LogLimiter::Suppressed LogLimiter::take_all() {
    const std::scoped_lock lock(mutex_);
    Suppressed all;
    for (auto& [event, window] : windows_) {
        if (window.suppressed != 0) all.emplace_back(event, std::exchange(window.suppressed, 0));
    }
    next_check_ = never;
    return all;
}

}  // namespace pgsluice::daemon
