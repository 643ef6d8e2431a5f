// Bounds how fast one source may try cancel keys: a CancelRequest comes without authentication, and in session mode
// only 32 bits of a key are secret. At 100 wrong keys a minute those take decades. Sources are subscribers
// (Address::subscriber); several may share a counter, since memory is bounded. Thread-safe; used for a CancelRequest
// and never on the relay path.
#pragma once

#include <pgsluice/base/address.hpp>
#include <pgsluice/base/time.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace pgsluice::daemon {

class CancelGuesses {
  public:
    static constexpr std::uint32_t usual_limit = 100;
    static constexpr std::chrono::minutes window{1};

    // `seed` is random, so that nobody can choose an address that shares its counter with another's. `limit`: in a
    // window.
    explicit CancelGuesses(std::uint64_t seed, std::uint32_t limit = usual_limit) : seed_(seed), limit_(limit) {}

    // Keys that this source could have guessed are to count as wrong until its window ends.
    bool is_exhausted(const Address& source, TimePoint now) const;
    // One more of them. True where it was the last that the source may try in this window.
    bool note(const Address& source, TimePoint now);

  private:
    struct Counter {
        TimePoint until{};
        std::uint32_t wrong_keys = 0;
    };
    std::size_t place_of(const Address& source) const;

    const std::uint64_t seed_;
    const std::uint32_t limit_;
    mutable std::mutex mutex_;
    std::array<Counter, 1024> counters_;  // protected by mutex_
};

}  // namespace pgsluice::daemon
