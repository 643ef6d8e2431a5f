// How often the schema of one database was seen to change, by the clients of any pool and any worker: what a client
// parses after a change has nothing to do with what was parsed before it.
#pragma once

#include <atomic>
#include <cstdint>

namespace pgsluice::pool {

class SchemaChanges {
  public:
    void note() { count_.fetch_add(1, std::memory_order_relaxed); }
    std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> count_{0};
};

}  // namespace pgsluice::pool
