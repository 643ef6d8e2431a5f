// The users that configuration names, with their stored passwords read once. Immutable, part of a Snapshot.
#pragma once

#include "iteration_tally.hpp"

#include <pgsluice/auth/credential.hpp>
#include <pgsluice/config/config.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace pgsluice::daemon {

class Users {
  public:
    struct Entry {
        auth::Credential credential;
        config::ClientTimeoutOverrides timeouts;
        std::uint32_t max_connections = 0, max_server_connections = 0;
    };

    Users() = default;
    explicit Users(const std::vector<config::User>& users) {
        // The first of two equal names wins, as in the file.
        for (const auto& user : users) {
            entries_.try_emplace(user.name, Entry{auth::parse_credential(user.password), user.timeouts,
                                                  user.max_connections, user.max_server_connections});
        }
    }
    const Entry* find(std::string_view name) const {
        const auto found = entries_.find(std::string(name));
        return found == entries_.end() ? nullptr : &found->second;
    }
    bool has_verifiers() const {
        return std::any_of(entries_.begin(), entries_.end(), [](const auto& entry) {
            return std::holds_alternative<auth::ScramVerifier>(entry.second.credential);
        });
    }
    void count_iterations(IterationTally& tally) const {
        for (const auto& [name, entry] : entries_) {
            if (const auto* verifier = std::get_if<auth::ScramVerifier>(&entry.credential))
                tally.note(verifier->iterations);
        }
    }

  private:
    std::unordered_map<std::string, Entry> entries_;
};

}  // namespace pgsluice::daemon
