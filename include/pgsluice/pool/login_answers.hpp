// What the servers of one pool answer to a login, known to all of its workers: what a fresh connection reports, and the
// startup settings that have been accepted before. A login that asks for nothing else needs no server. It holds for the
// servers of one Target (its fingerprint): what is asked or told on behalf of others changes nothing.
//
// A server reads its configuration again while it is open, and tells what has changed there: that is what those find
// who log in next, and it becomes the default of those who are there (defaults_since).
//
// Thread-safe; used at logins, and where a default has changed.
#pragma once

#include <pgsluice/pool/accepted_settings.hpp>
#include <pgsluice/protocol/parameter_set.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace pgsluice::pool {

class LoginAnswers {
  public:
    struct Greeting {
        std::vector<wire::Setting> reported;  // ParameterStatus, in the server's order
        protocol::ParameterSetRef baseline;   // the carried settings among them
    };

    // A server has logged in: it speaks for all until the next one does. One of another Target makes what was accepted
    // forgotten.
    void learn(std::uint64_t fingerprint, Greeting greeting);
    // nullptr until a server of that Target has logged in.
    std::shared_ptr<const Greeting> greeting(std::uint64_t fingerprint) const;

    // Nothing is known any more until a server logs in: RECONNECT.
    void forget();
    // The servers that have told this are closed, and the next one may tell something else: PAUSE. Until it does, who
    // logs in meanwhile is told this.
    void doubt();
    bool is_doubtful() const { return is_doubtful_.load(std::memory_order_relaxed); }

    // A server's own value of a reported setting was `before` and is another one now. Of a server that has another
    // default than those who log in are told it says nothing.
    void note_default(std::uint64_t fingerprint, ByteView name, ByteView before, ByteView value);
    // The same of in_hot_standby, which is no setting of a client's: those who are there were told by their own
    // servers.
    void note_standby(std::uint64_t fingerprint, ByteView before, ByteView value);
    // Rises with each default.
    std::uint64_t defaults_noted() const { return noted_.load(std::memory_order_relaxed); }
    // Of each setting the last one, of those after the first `seen`.
    std::vector<wire::Setting> defaults_since(std::uint64_t seen) const;

    void accept(std::uint64_t fingerprint, const wire::Setting& setting, AcceptedSettings::Result result);
    std::optional<AcceptedSettings::Result> find(std::uint64_t fingerprint, const wire::Setting& setting) const;

  private:
    struct Default {
        std::uint64_t number;
        wire::Setting setting;
    };
    void keep_default(ByteView name, ByteView value);

    std::atomic<bool> is_doubtful_{false};
    std::atomic<std::uint64_t> noted_{0};
    mutable std::mutex mutex_;  // protects all that follows
    std::vector<Default> defaults_;
    std::uint64_t fingerprint_ = 0;
    std::shared_ptr<const Greeting> greeting_;
    AcceptedSettings accepted_;
};

}  // namespace pgsluice::pool
