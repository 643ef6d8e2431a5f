// The server's side of one SCRAM-SHA-256 exchange (RFC 5802, RFC 7677), with the rules and the errors of PostgreSQL
// 15's src/backend/libpq/auth-scram.c. Messages in, messages out; it never sees a frame. Used against our clients.
#pragma once

#include <pgsluice/auth/scram_keys.hpp>
#include <pgsluice/auth/scram_verifier.hpp>
#include <pgsluice/base/bytes.hpp>
#include <pgsluice/wire/sql_error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace pgsluice::auth {

class ScramServer {
  public:
    struct Setup {
        ScramVerifier verifier;
        // The exchange runs to its end and fails there: for unknown users and for those without a verifier.
        bool doomed = false;
        Bytes nonce;  // scram_nonce_bytes of fresh randomness
        // The certificate's tls-server-end-point hash (RFC 5929), where the connection has one; else SCRAM-SHA-256-PLUS
        // is not offered.
        Bytes channel_binding;
        bool uses_channel_binding = false;  // the client chose SCRAM-SHA-256-PLUS
    };

    struct Continue {
        std::string message;
    };
    struct Accepted {
        std::string message;
        ScramKeys keys;  // the client key from its proof, the server key from the verifier
    };
    struct WrongProof {};
    // The SqlError: a message that is no SCRAM.
    using Step = std::variant<Continue, Accepted, WrongProof, wire::SqlError>;

    explicit ScramServer(Setup setup);
    // A verifier that no proof fits, for Setup::doomed.
    static ScramVerifier stand_in_verifier(std::string_view user, const Secret& process_secret,
                                           std::uint32_t iterations = scram_iterations);

    // The client's next message. nullopt: a SASLInitialResponse without data, to which an empty challenge is the
    // answer.
    Step resume(std::optional<ByteView> message);

  private:
    enum class State : std::uint8_t { client_first, client_final, finished };

    Step on_client_first(ByteView message);
    Step on_client_final(ByteView message);
    Bytes expected_channel_binding() const;

    Setup setup_;
    State state_ = State::client_first;
    char binding_flag_ = 'n';
    std::string client_first_bare_;
    std::string server_first_;
    std::string nonce_;  // the client's, then ours behind it
};

}  // namespace pgsluice::auth
