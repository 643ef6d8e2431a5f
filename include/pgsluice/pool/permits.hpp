// How many server connections the pools of one (route, database, user) have together, over all workers: what pool.size
// bounds. Mostly that is one pool. In session mode each startup packet has its own, and after a reload that changed
// pool.mode, clients of both modes have theirs. A pool whose clients wait for a permit claims one here: a sibling whose
// server comes free closes it for them where they have waited longer than its own clients, and no sibling takes a
// permit for clients that came later.
//
// Thread-safe, and off the plain path but for one atomic read.
#pragma once

#include <pgsluice/base/ids.hpp>
#include <pgsluice/pool/claims.hpp>

#include <atomic>
#include <cstdint>
#include <vector>

namespace pgsluice::pool {

class Pool;

class Permits {
  public:
    explicit Permits(std::size_t workers) : shown_by_(workers) {}

    // One for each connection that is open or being made.
    bool try_take(std::uint32_t limit) {
        std::uint32_t seen = open_.load();
        while (seen < limit) {
            if (open_.compare_exchange_weak(seen, seen + 1)) return true;
        }
        return false;
    }
    void give_back() { open_.fetch_sub(1); }
    // One of those above the limit, while there are any: of workers that look at once no more give back than must.
    bool give_back_above(std::uint32_t limit) {
        std::uint32_t seen = open_.load();
        while (seen > limit) {
            if (open_.compare_exchange_weak(seen, seen - 1)) return true;
        }
        return false;
    }
    std::uint32_t open() const { return open_.load(); }

    // --- Of these, connections that are not made yet since a limit beside the pool's size leaves them no place:
    // clusters.NAME.max_connections, or that of their user.
    void begin_lacking() { lacking_.fetch_add(1); }
    void end_lacking() { lacking_.fetch_sub(1); }
    std::uint32_t lacking() const { return lacking_.load(); }

    // --- Clients that keep a server for what they left there.
    void pin() { pinned_.fetch_add(1); }
    void unpin() { pinned_.fetch_sub(1); }
    std::uint32_t pinned() const { return pinned_.load(); }

    // --- Siblings: the pools, each over all workers, that take their permits here.
    void join() { shares_.fetch_add(1); }
    void leave() { shares_.fetch_sub(1); }
    bool has_siblings() const { return shares_.load() > 1; }

    // Pools that found no permit for their clients, to be offered the next by a sibling.
    Claims& claims() { return claims_; }

    // The one pool of a worker that shows the size for all its siblings. That worker's thread only.
    const Pool*& shown_by(WorkerIndex worker) { return shown_by_[number(worker)]; }

  private:
    std::atomic<std::uint32_t> open_{0};
    std::atomic<std::uint32_t> lacking_{0};
    std::atomic<std::uint32_t> pinned_{0};
    std::atomic<std::uint32_t> shares_{0};
    Claims claims_;
    std::vector<const Pool*> shown_by_;
};

}  // namespace pgsluice::pool
