// What the look-ups of all workers have found out about each auth.query, by the query's key: what strangers are told
// follows from it. By query, since what happens to one tells nothing of another's users, and nobody who can log in by
// one is to change what strangers see of another. Bounded, thread-safe.
#pragma once

#include "iteration_tally.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

namespace pgsluice::daemon {

class LookupFindings {
  public:
    static constexpr std::size_t most_votes = 10000;  // of one query; users beyond have none

    void note_outcome(const std::string& query, bool failed);
    // The last look-up that was made got no answer.
    bool fails(const std::string& query) const;

    // How many iterations the verifier of a user has; nullopt where it has none, or is there no more. A user has one
    // vote, however often it is asked for, and none with more iterations than we compute: nobody who chooses his own
    // count makes strangers, and users with a plain password, dearer than that.
    void note_iterations(const std::string& query, std::string_view user, std::optional<std::uint32_t> iterations);
    std::optional<std::uint32_t> usual_iterations(const std::string& query) const;

    // A new configuration: others are asked no more.
    void keep_only(const std::set<std::string>& queries);

  private:
    struct Findings {
        bool fails = false;
        IterationTally tally;
        std::unordered_map<std::size_t, std::uint32_t>
            votes;  // by the hash of the user's name, whose length is anybody's
    };
    mutable std::mutex mutex_;
    std::map<std::string, Findings> findings_;  // protected by mutex_
};

}  // namespace pgsluice::daemon
