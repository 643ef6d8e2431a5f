// Who waits for a share of something that is bounded over all pools and workers, and used up: permits (permits.hpp) or
// places (server_places.hpp). A pool with a server to lend asks here whether another has waited longer; it closes the
// server then, and what that held comes free.
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
};

class Claims {
  public:
    // In place of the one that the pool has made before.
    void enter(Claim claim);
    void withdraw(const Share* share, WorkerIndex worker);
    bool any() const { return count_.load() != 0; }
    // Of the pools other than those of `self`, the one whose clients have waited longest, if since before `since`. Its
    // claim is forgotten: something is to come free for it, and it says again what it lacks then.
    std::optional<Claim> take(const Share* self, TimePoint since);

  private:
    std::atomic<std::uint32_t> count_{0};
    std::mutex mutex_;
    std::vector<Claim> claims_;  // protected by mutex_
};

}  // namespace pgsluice::pool
