// Which keys were seen before, lately and likely: a hash of each in a table that newer ones overwrite. What comes only
// once is so told from what comes again before it takes up memory. To be wrong costs little, either way.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pgsluice::sql {

class Sightings {
  public:
    // Bytes that it may take; forgets all.
    void resize(std::size_t memory) {
        seen_ = std::vector<std::uint32_t>(std::bit_floor(memory / sizeof(std::uint32_t)));
    }

    // Whether the key was seen before; now it is.
    bool is_known(std::uint64_t hash) {
        if (seen_.empty()) return true;
        std::uint32_t& place = seen_[hash & (seen_.size() - 1)];
        const auto rest = static_cast<std::uint32_t>(hash >> 32);
        const bool is_known = place == rest;
        place = rest;
        return is_known;
    }

    std::size_t memory() const { return seen_.size() * sizeof(std::uint32_t); }

  private:
    std::vector<std::uint32_t> seen_;
};

}  // namespace pgsluice::sql
