// Usage: sim [--first SEED] [--seeds N] ...
//
// Runs N courses of events (1) from SEED (1) on, for each --seeds, and ends with 1 when something was wrong in any.
#include "simulation.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

std::size_t failures(std::uint64_t first, std::uint64_t count) {
    constexpr std::size_t most_told = 3;
    std::size_t failed = 0;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        const std::string problems = pgsluice::sim::Simulation(seed).run();
        if (problems.empty() || ++failed > most_told) continue;
        std::printf("seed %llu\n%s\n", static_cast<unsigned long long>(seed), problems.c_str());
    }
    std::printf("%llu seeds from %llu on, %zu failed\n", static_cast<unsigned long long>(count),
                static_cast<unsigned long long>(first), failed);
    return failed;
}

}  // namespace

int main(int count, char** words) {
    std::uint64_t first = 1;
    std::size_t failed = 0;
    bool has_run = false;
    for (int i = 1; i + 1 < count; i += 2) {
        const std::string_view word = words[i];
        const std::uint64_t number = std::strtoull(words[i + 1], nullptr, 10);
        if (word == "--first") {
            first = number;
        } else if (word == "--seeds") {
            failed += failures(first, number);
            has_run = true;
        }
    }
    if (!has_run) failed += failures(first, 1);
    return failed == 0 ? 0 : 1;
}
