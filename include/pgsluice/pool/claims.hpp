// Who waits for a share of something that is bounded over all pools and workers, and used up: permits (permits.hpp) or
// places (server_places.hpp). A pool with a server to lend asks here whether another has waited longer; it closes the
// server then, and what that held comes free. The claim stands until its pool has that or gives up, so that nobody who
// came later takes it in between: least of all the pool that has closed the server, for a client of its own.
//
// Thread-safe, and one atomic read where nobody waits.
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

class Share;

// Of a pool on one worker that found nothing left for its clients.
struct Claim {
    const Share* share;  // only compared
    WorkerIndex worker;
    TimePoint since;    // when the oldest of them began to wait
    std::string key{};  // Pool::key, where it is to be told that there is room
    bool is_offered = false;
};

class Claims {
  public:
    // In place of the one that the pool has made before: what it was offered then, if anything, was not enough.
    void enter(Claim claim);
    // The client that had waited longest has been served otherwise; the one behind it has waited since `since`.
    void renew(const Share* share, WorkerIndex worker, TimePoint since);
    void withdraw(const Share* share, WorkerIndex worker);
    bool any() const { return count_.load() != 0; }
    // Of the pools other than those of `self`, the one whose clients have waited longest, if since before `since`.
    // Something comes free for it. It is not named again before it has claimed again.
    std::optional<Claim> offer(const Share* self, TimePoint since);
    // Whether clients of such a pool have waited since before `since`, whatever it has been offered.
    bool has_older(const Share* self, TimePoint since) const;

  private:
    std::vector<Claim>::iterator find(const Share* share, WorkerIndex worker);

    std::atomic<std::uint32_t> count_{0};
    mutable std::mutex mutex_;
    std::vector<Claim> claims_;  // protected by mutex_
};

}  // namespace pgsluice::pool
