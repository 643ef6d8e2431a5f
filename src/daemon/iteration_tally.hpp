// How many iterations verifiers have: what a stand-in for an unknown user must have to look like most. The count that
// is met most often and not the last one, since each role chooses its own. Bounded, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

namespace pgsluice::daemon {

class IterationTally {
  public:
    static constexpr std::size_t limit = 64;  // of different counts; others are not noted any more

    void note(std::uint32_t iterations) {
        const std::lock_guard lock(mutex_);
        const auto known = times_.find(iterations);
        if (known != times_.end())
            ++known->second;
        else if (times_.size() < limit)
            times_.emplace(iterations, 1);
    }
    // The smallest of those that are met equally often; nullopt where there are none.
    std::optional<std::uint32_t> most_common() const {
        const std::lock_guard lock(mutex_);
        std::optional<std::uint32_t> best;
        std::uint64_t most = 0;
        for (const auto& [iterations, times] : times_) {
            if (times <= most) continue;
            most = times;
            best = iterations;
        }
        return best;
    }

  private:
    mutable std::mutex mutex_;
    std::map<std::uint32_t, std::uint64_t> times_;  // protected by mutex_
};

}  // namespace pgsluice::daemon
