// Bounds the cancel requests that are sent on to peers (see peer_key.hpp): how many at a time, and how many of one
// source in a minute, since anybody may make up a key of a peer. Thread-safe; used for a CancelRequest only.
#pragma once

#include "cancel_guesses.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace pgsluice::daemon {

class PeerCancels {
  public:
    static constexpr std::size_t at_once = 16;
    static constexpr std::uint32_t of_one_source = 1000;

    explicit PeerCancels(std::uint64_t seed) : sources(seed, of_one_source) {}

    // Held while a request is on its way; empty: there are too many.
    struct Leave {
        void operator()(std::atomic<std::size_t>* count) const { count->fetch_sub(1); }
    };
    using Place = std::unique_ptr<std::atomic<std::size_t>, Leave>;
    Place enter() {
        Place place(&under_way_);
        if (under_way_.fetch_add(1) >= at_once) place.reset();
        return place;
    }

    CancelGuesses sources;

  private:
    std::atomic<std::size_t> under_way_{0};
};

}  // namespace pgsluice::daemon
