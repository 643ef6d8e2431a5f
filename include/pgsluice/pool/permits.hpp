// How many server connections the pools of one (route, database, user) have together, over all workers: what pool.size
// bounds. Mostly that is one pool. In session mode each startup packet has its own, and after a reload that changed
// pool.mode, clients of both modes have theirs. A pool whose clients wait for a permit says so here: a sibling whose
// server comes free closes it for them where they have waited longer than its own clients.
//
// Thread-safe, and off the plain path but for one atomic read.
#pragma once

#include <pgsluice/base/ids.hpp>
#include <pgsluice/base/time.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace pgsluice::pool {

class Pool;
class Share;

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
    std::uint32_t open() const { return open_.load(); }

    // --- Clients that keep a server for what they left there.
    void pin() { pinned_.fetch_add(1); }
    void unpin() { pinned_.fetch_sub(1); }
    std::uint32_t pinned() const { return pinned_.load(); }

    // --- Siblings: the pools, each over all workers, that take their permits here.
    void join() { shares_.fetch_add(1); }
    void leave() { shares_.fetch_sub(1); }
    bool has_siblings() const { return shares_.load() > 1; }

    // A pool on one worker that found no permit for its clients.
    struct Starving {
        const Share* share;
        WorkerIndex worker;
        std::string key;  // Pool::key
        TimePoint since;  // when the oldest of them began to wait
    };
    void starve(Starving starving);
    void feed(const Share* share, WorkerIndex worker);
    bool anybody_starves() const { return count_.load() != 0; }
    // Of the pools other than those of `self`, the one whose clients have waited longest, if since before `since`. It
    // is forgotten here: a permit is to come free for it, and it says again what it lacks then.
    std::optional<Starving> take_starved(const Share* self, TimePoint since);

    // The one pool of a worker that shows the size for all its siblings. That worker's thread only.
    const Pool*& shown_by(WorkerIndex worker) { return shown_by_[number(worker)]; }

  private:
    std::atomic<std::uint32_t> open_{0};
    std::atomic<std::uint32_t> pinned_{0};
    std::atomic<std::uint32_t> shares_{0};
    std::atomic<std::uint32_t> count_{0};
    std::mutex mutex_;
    std::vector<Starving> starving_;  // protected by mutex_
    std::vector<const Pool*> shown_by_;
};

}  // namespace pgsluice::pool
