// Counts the server connections of one kind over all pools and workers: those to one server of a cluster
// (upstream.hpp), or those of one user. A connection has a place from before it is dialled until it is closed. Where
// the limit is reached, it also decides which pool gets the next place. Thread-safe; it owns nothing, and nothing here
// waits.
#pragma once

#include <pgsluice/base/time.hpp>
#include <pgsluice/pool/claims.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace pgsluice::pool {

class ServerPlaces {
  public:
    // Takes one place, unless `limit` places are taken: then it is false and nothing has changed. A limit of 0 means
    // none; the place is counted all the same, since a reload may set one. Each place taken is given back by one
    // closed().
    bool try_take(std::uint32_t limit) {
        if (limit != 0) return take(open_, limit);
        open_.fetch_add(1);
        return true;
    }
    void closed() { open_.fetch_sub(1); }
    std::uint32_t open() const { return open_.load(); }

    // --- Between pools, where the limit is reached. A pool without a place claims one. When its oldest client has
    // waited for longer than `patience`, a pool whose own clients came later closes a server as it comes back, and the
    // place is kept for 100 ms for those that have waited so long.
    static constexpr Milliseconds patience{500};
    Claims& claims() { return claims_; }
    // Whether the pool of `self` is to close a server, which it could lend, for one that claims a place. `oldest`:
    // since when its own oldest client has waited; never: none does. Where it is true, the place is kept, and that
    // claim is not named again before it is renewed.
    bool must_yield(const Share* self, TimePoint oldest, TimePoint now) {
        const TimePoint impatient = now - patience + TimePoint::duration(1);
        if (!claims_.offer(self, std::min(oldest, impatient))) return false;
        kept_until_.store((now + Milliseconds(100)).time_since_epoch().count());
        return true;
    }
    // While it is so, only a pool that claims a place takes one, whose client has waited for longer than `patience` and
    // no shorter than those of the others; it then calls take_kept(), and the next place is for everybody.
    bool is_kept(TimePoint now) const { return now.time_since_epoch().count() < kept_until_.load(); }
    bool is_kept_from(const Share* self, TimePoint since, TimePoint now) const {
        return is_kept(now) && (now - since < patience || claims_.has_older(self, since));
    }
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
    Claims claims_;
};

}  // namespace pgsluice::pool
