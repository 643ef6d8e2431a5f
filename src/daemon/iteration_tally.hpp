// How many iterations verifiers have: what a stand-in for an unknown user must have to look like most. The count that
// most have and not the last one, since each role chooses its own. Bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace pgsluice::daemon {

class IterationTally {
  public:
    static constexpr std::size_t limit = 64;  // of different counts

    // false: there are too many other counts, so this one is not noted.
    bool note(std::uint32_t iterations) {
        const auto known = times_.find(iterations);
        if (known != times_.end()) {
            ++known->second;
            return true;
        }
        return times_.size() < limit && times_.emplace(iterations, 1).second;
    }
    // Of a count that was noted.
    void take_back(std::uint32_t iterations) {
        const auto known = times_.find(iterations);
        if (known != times_.end() && --known->second == 0) times_.erase(known);
    }
    // The smallest of those that are met equally often; nullopt where there are none.
    std::optional<std::uint32_t> most_common() const {
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
    std::map<std::uint32_t, std::uint64_t> times_;
};

}  // namespace pgsluice::daemon
