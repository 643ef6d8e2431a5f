// One server of a cluster, over all pools and workers: how many connections it has, how many are being made, and until
// when it is not worth trying. Thread-safe.
#pragma once

#include <pgsluice/base/time.hpp>
#include <pgsluice/pool/server_places.hpp>

#include <atomic>
#include <cstdint>

namespace pgsluice::pool {

class Upstream : public ServerPlaces {
  public:
    enum class Permit : std::uint8_t { granted, at_cap, too_many_connecting };

    // Zero caps mean no limit.
    Permit begin_connecting(std::uint32_t max_connections, std::uint32_t max_connecting) {
        if (max_connecting != 0 && !take(connecting_, max_connecting)) return Permit::too_many_connecting;
        if (max_connecting == 0) connecting_.fetch_add(1);
        if (!try_take(max_connections)) {
            connecting_.fetch_sub(1);
            return Permit::at_cap;
        }
        return Permit::granted;
    }
    void end_connecting() { connecting_.fetch_sub(1); }

    // A failed connect keeps others from trying before `until`, so that a dead host costs its timeout once.
    void mark_down(TimePoint until) { down_until_.store(until.time_since_epoch().count()); }
    void mark_up() { down_until_.store(0); }
    bool is_down(TimePoint now) const { return now.time_since_epoch().count() < down_until_.load(); }

  private:
    std::atomic<std::uint32_t> connecting_{0};
    std::atomic<TimePoint::rep> down_until_{0};
};

}  // namespace pgsluice::pool
