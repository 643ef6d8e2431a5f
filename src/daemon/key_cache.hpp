// SCRAM keys that have been derived before, so that the second login with the same password costs no PBKDF2. Entries
// are found by a digest: the cache holds no password. Bounded, thread-safe.
#pragma once

#include <pgsluice/auth/scram_keys.hpp>

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace pgsluice::daemon {

class KeyCache {
  public:
    static constexpr std::size_t limit = 4096;

    std::optional<auth::ScramKeys> find(const auth::Derivation& wanted) const;
    void add(const auth::Derivation& wanted, const auth::ScramKeys& keys);

  private:
    mutable std::mutex mutex_;
    std::unordered_map<std::string, auth::ScramKeys> keys_;
};

}  // namespace pgsluice::daemon
