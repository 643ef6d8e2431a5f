// One server of a cluster, over all pools and workers: how many connections it has, how many are being made, and until
// when it is not worth trying. Thread-safe.
#pragma once

#include <pgsluice/base/time.hpp>

#include <atomic>
#include <cstdint>

namespace pgsluice::pool {

class Upstream {
  public:
    enum class Permit : std::uint8_t { granted, at_cap, too_many_connecting };

    // Zero caps mean no limit.
    Permit begin_connecting(std::uint32_t max_connections, std::uint32_t max_connecting) {
        if (max_connecting != 0 && !take(connecting_, max_connecting)) return Permit::too_many_connecting;
        if (max_connecting == 0) connecting_.fetch_add(1);
        if (max_connections != 0 && !take(open_, max_connections)) {
            connecting_.fetch_sub(1);
            return Permit::at_cap;
        }
        if (max_connections == 0) open_.fetch_add(1);
        return Permit::granted;
    }
    // --- Between pools at the cap. One that keeps all its servers busy closes one of them for a pool that has waited
    // for longer than `patience`, and no newcomer takes that place.
    static constexpr Milliseconds patience{500};
    // A pool waits for a place, its oldest client since then. To be said again, until it has one.
    void starve(TimePoint since) {
        TimePoint::rep seen = starving_since_.load();
        const TimePoint::rep mine = since.time_since_epoch().count();
        while (mine < seen && !starving_since_.compare_exchange_weak(seen, mine)) {
        }
    }
    void feed() { starving_since_.store(never.time_since_epoch().count()); }
    bool anybody_starves() const {
        return starving_since_.load(std::memory_order_relaxed) != never.time_since_epoch().count();
    }
    // Whether a pool whose oldest client waits since then (never: none does) is to close a server for another.
    bool must_yield(TimePoint oldest, TimePoint now) {
        TimePoint::rep since = starving_since_.load();
        const bool is_due = since != never.time_since_epoch().count() && since < oldest.time_since_epoch().count() &&
                            TimePoint(TimePoint::duration(since)) + patience <= now;
        if (!is_due || !starving_since_.compare_exchange_strong(since, never.time_since_epoch().count())) return false;
        kept_until_.store((now + Milliseconds(100)).time_since_epoch().count());
        return true;
    }
    bool is_kept(TimePoint now) const { return now.time_since_epoch().count() < kept_until_.load(); }
    void take_kept() { kept_until_.store(0); }

    void end_connecting() { connecting_.fetch_sub(1); }
    void closed() { open_.fetch_sub(1); }
    std::uint32_t open() const { return open_.load(); }

    // A failed connect keeps others from trying before `until`, so that a dead host costs its timeout once.
    void mark_down(TimePoint until) { down_until_.store(until.time_since_epoch().count()); }
    void mark_up() { down_until_.store(0); }
    bool is_down(TimePoint now) const { return now.time_since_epoch().count() < down_until_.load(); }

  private:
    static bool take(std::atomic<std::uint32_t>& count, std::uint32_t cap) {
        std::uint32_t seen = count.load();
        while (seen < cap) {
            if (count.compare_exchange_weak(seen, seen + 1)) return true;
        }
        return false;
    }

    std::atomic<std::uint32_t> open_{0}, connecting_{0};
    std::atomic<TimePoint::rep> down_until_{0}, kept_until_{0};
    std::atomic<TimePoint::rep> starving_since_{never.time_since_epoch().count()};
};

}  // namespace pgsluice::pool
