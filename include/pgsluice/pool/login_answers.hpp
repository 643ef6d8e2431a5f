// What the servers of one pool answer to a login, known to all of its workers: what a fresh connection reports, and the
// startup settings that have been accepted before. A login that asks for nothing else needs no server. It holds for the
// servers of one Target (its fingerprint): what is asked or told on behalf of others changes nothing.
//
// Thread-safe; used at logins only.
#pragma once

#include <pgsluice/pool/accepted_settings.hpp>
#include <pgsluice/protocol/parameter_set.hpp>

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

    void accept(std::uint64_t fingerprint, const wire::Setting& setting, AcceptedSettings::Result result);
    std::optional<AcceptedSettings::Result> find(std::uint64_t fingerprint, const wire::Setting& setting) const;

  private:
    mutable std::mutex mutex_;  // protects all that follows
    std::uint64_t fingerprint_ = 0;
    std::shared_ptr<const Greeting> greeting_;
    AcceptedSettings accepted_;
};

}  // namespace pgsluice::pool
