// Finds the session that a CancelRequest means. One for the process: a cancel arrives on a connection of its own, on
// any worker. Lookups are by the process id in constant steps; secrets are compared in constant time. Thread-safe, used
// at login, at the end of a session and for a cancel, never on the relay path.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/base/ids.hpp>
#include <pgsluice/base/secret.hpp>

#include <mutex>
#include <optional>
#include <unordered_map>

namespace pgsluice::daemon {

class CancelRegistry {
  public:
    struct Owner {
        WorkerIndex worker{};
        SessionId session{};
        // Session mode before protocol 3.2: at most 32 bits of its key are secret, else 57 or more.
        bool is_guessable = false;
    };

    void add(std::int32_t process_id, ByteView secret, Owner owner) {
        const std::lock_guard lock(mutex_);
        entries_.emplace(process_id, Entry{Bytes(secret), owner});
    }
    void remove(std::int32_t process_id, SessionId session) {
        const std::lock_guard lock(mutex_);
        const auto [first, last] = entries_.equal_range(process_id);
        for (auto at = first; at != last; ++at) {
            if (at->second.owner.session != session) continue;
            entries_.erase(at);
            return;
        }
    }
    std::optional<Owner> find(std::int32_t process_id, ByteView secret) const {
        const std::lock_guard lock(mutex_);
        // Several sessions share a process id only where session mode shows the real ones of several clusters.
        const auto [first, last] = entries_.equal_range(process_id);
        std::optional<Owner> found;
        for (auto at = first; at != last; ++at) {
            if (Secret::equal_in_constant_time(at->second.secret, secret)) found = at->second.owner;
        }
        return found;
    }
    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return entries_.size();
    }

  private:
    struct Entry {
        Bytes secret;
        Owner owner;
    };
    mutable std::mutex mutex_;
    std::unordered_multimap<std::int32_t, Entry> entries_;
};

}  // namespace pgsluice::daemon
