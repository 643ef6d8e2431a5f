// How many server connections there may be of one kind, over all pools and workers: those to one server of a cluster
// (upstream.hpp), or those of one user. It also settles between pools that want the last place. Thread-safe.
#pragma once

#include <pgsluice/base/time.hpp>

#include <atomic>
#include <cstdint>

namespace pgsluice::pool {

class Places {
  public:
    // One for each connection that is open or being made. Zero means no limit, and is counted all the same, since a
    // reload may set one.
    bool try_take(std::uint32_t limit) {
        if (limit != 0) return take(open_, limit);
        open_.fetch_add(1);
        return true;
    }
    void closed() { open_.fetch_sub(1); }
    std::uint32_t open() const { return open_.load(); }

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

  protected:
    static bool take(std::atomic<std::uint32_t>& count, std::uint32_t cap) {
        std::uint32_t seen = count.load();
        while (seen < cap) {
            if (count.compare_exchange_weak(seen, seen + 1)) return true;
        }
        return false;
    }

  private:
    std::atomic<std::uint32_t> open_{0};
    std::atomic<TimePoint::rep> kept_until_{0};
    std::atomic<TimePoint::rep> starving_since_{never.time_since_epoch().count()};
};

}  // namespace pgsluice::pool
