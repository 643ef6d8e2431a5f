// What a client of the simulation sends: a random program whose every statement carries a tag of its own.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <random>
#include <string>
#include <vector>

namespace pgsluice::sim {

using Random = std::mt19937_64;

// From 0 to `bound` - 1. Not std::uniform_int_distribution, which differs between libraries: a seed is to mean the same
// everywhere.
inline std::size_t below(Random& random, std::size_t bound) {
    return static_cast<std::size_t>(random() % bound);
}
// True in so many of a thousand cases.
inline bool happens(Random& random, std::size_t permille) {
    return below(random, 1000) < permille;
}

struct Step {
    Bytes bytes;
    std::size_t readies_before = 0;  // ReadyForQuery that earlier steps bring
    bool waits = true;               // for them
};

// How much of its session a client makes.
enum class Changes {
    none,
    some,  // settings, a temporary table, a statement of SQL's
    all,   // and locks, channels, cursors WITH HOLD, custom settings, session_authorization, savepoints
};

// Ends outside a transaction, leaves nothing of what it has made of its session behind, and says Terminate when it has
// read all its answers.
std::vector<Step> make_program(Random& random, std::size_t client, Changes changes);

}  // namespace pgsluice::sim
