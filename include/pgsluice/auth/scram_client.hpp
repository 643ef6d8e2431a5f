// The client's side of one SCRAM-SHA-256 exchange, against a server that may be hostile: every field is bounded, the
// iteration count is capped (CVE-2026-6669: a server named 2^31 of them), and the server must prove that it knows the
// password before done() is true.
#pragma once

#include <pgsluice/auth/scram_keys.hpp>
#include <pgsluice/base/bytes.hpp>

#include <cstdint>
#include <string>
#include <variant>

namespace pgsluice::auth {

class ScramClient {
  public:
    // A plain password asks for a Derivation; keys (pass-through) need none.
    using Source = std::variant<Secret, ScramKeys>;

    struct Setup {
        Source source;
        Bytes nonce;  // scram_nonce_bytes of fresh randomness
        std::uint32_t max_iterations = scram_iterations_limit;
        Bytes channel_binding;              // the server certificate's tls-server-end-point hash, or empty
        bool uses_channel_binding = false;  // SCRAM-SHA-256-PLUS was offered and chosen
    };

    struct Send {
        std::string message;
    };
    struct Verified {};  // the server knew the password; the exchange is over
    struct Failed {
        std::string reason;  // for the log; quotes nothing that the server sent
    };
    using Step = std::variant<Send, Derivation, Verified, Failed>;

    explicit ScramClient(Setup setup);

    std::string first_message();
    // The server's next message.
    Step resume(ByteView message);
    // What the Derivation that resume() asked for gave.
    Step resume(const ScramKeys& keys);

    bool verified() const { return state_ == State::verified; }

  private:
    enum class State : std::uint8_t { server_first, deriving, server_final, verified, failed };

    Step on_server_first(ByteView message);
    Step on_server_final(ByteView message);
    Step prove(const ScramKeys& keys);
    Step fail(std::string reason);
    std::string gs2_header() const;

    Setup setup_;
    State state_ = State::server_first;
    std::string client_nonce_;
    std::string client_first_bare_;
    std::string server_first_;
    std::string nonce_;  // the client's with the server's behind it
    Secret server_signature_;
};

}  // namespace pgsluice::auth
