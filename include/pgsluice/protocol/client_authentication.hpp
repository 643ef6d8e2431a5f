// Authenticates one client by the method of the rule that matched it, as PostgreSQL 15 does (src/backend/libpq/auth.c,
// auth-sasl.c). An unknown user runs the exchange to its end and fails like a wrong password. AuthenticationOk is in
// `out` when the client has been accepted.
//
// Driver: begin(out), then for each action: NeedMessage: resume(buffer, out), drop `consumed`, and read when it says so
// again; Derive: run auth::derive off the worker (or take it from a cache), resume(keys, out). Send `out` before
// obeying an action. Bytes that are unread already (a client may be ahead of us) go in before more are read.
#pragma once

#include <pgsluice/auth/credential.hpp>
#include <pgsluice/auth/scram_server.hpp>
#include <pgsluice/base/bytes.hpp>
#include <pgsluice/config/config.hpp>
#include <pgsluice/wire/sql_error.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace pgsluice::protocol {

class ClientAuthentication {
  public:
    struct Setup {
        config::AuthRule rule;
        std::string user;
        std::optional<auth::Credential> credential;  // nullopt: there is no such user
        // auth.query gives no answers. Then nobody's wrong proof is called so: who could not be looked up may be right,
        // and whoever is known without a look-up must not stand out.
        bool lookups_fail = false;
        // What an md5 rule asks of those without a password on file: md5 where nobody can have a SCRAM verifier.
        bool unknown_answer_md5 = false;
        // What the verifiers of most users have, for those who have none.
        std::uint32_t usual_iterations = auth::scram_iterations;
        Bytes nonce;            // auth::scram_nonce_bytes, fresh
        Bytes md5_salt;         // auth::md5_salt_bytes, fresh
        Secret process_secret;  // makes the salts of users without a verifier; the same all along

        std::optional<std::string> certificate_name;  // CN of the client's verified certificate
        config::ListenerTlsMode listener_tls = config::ListenerTlsMode::disable;  // verify_* hold beside any method
        std::optional<std::string> peer_name;  // owner of the process behind a Unix socket
        Bytes channel_binding;  // our certificate's tls-server-end-point hash; empty: no SCRAM-SHA-256-PLUS
    };

    struct NeedMessage {};
    using Derive = auth::Derivation;
    struct Accepted {
        // What is known now for logging in to a server as this user, at most one of them. Keys: from SCRAM against a
        // stored verifier, good for every server that stores the same one. Password: where it came in clear or is
        // stored plain (keys derived with a salt of our own would be no use to a server).
        std::optional<auth::ScramKeys> keys;
        Secret password;
    };
    struct Rejected {
        wire::SqlError error;  // is in `out` already
        std::string reason;    // for the log, where it says more than the client may know
    };
    // The client sent a message whose length cannot be; PostgreSQL closes without a word.
    struct Close {
        std::string reason;
    };
    using Action = std::variant<NeedMessage, Derive, Accepted, Rejected, Close>;
    struct Step {
        std::size_t consumed = 0;
        Action action;
    };

    explicit ClientAuthentication(Setup setup);

    Action begin(Bytes& out);
    Step resume(ByteView buffer, Bytes& out);
    Action resume(const auth::ScramKeys& keys, Bytes& out);

  private:
    enum class State : std::uint8_t {
        begun,
        deriving_verifier,  // SCRAM with a password stored plain: its verifier is being made
        cleartext,
        checking_cleartext,  // against a SCRAM verifier
        md5,
        sasl_initial,
        sasl_continue,
        finished,
    };

    bool answers_md5() const;
    std::uint32_t derived_iterations() const;
    Action ask_cleartext(Bytes& out);
    Action ask_md5(Bytes& out);
    Action ask_scram(Bytes& out);
    Action offer_scram(Bytes& out);
    Step read_message(ByteView buffer, Bytes& out);
    Action on_message(ByteView body, Bytes& out);
    Action on_cleartext(ByteView body, Bytes& out);
    Action on_md5(ByteView body, Bytes& out);
    Action on_sasl_initial(ByteView body, Bytes& out);
    Action on_scram(std::optional<ByteView> message, Bytes& out);
    std::optional<Action> check_password_packet(ByteView body, Bytes& out);
    Action accept(Accepted accepted, Bytes& out);
    const Secret& plain_password() const;
    Action fail(std::string reason, Bytes& out);
    const char* why_unknown() const;
    Action fail_proof(std::string reason, Bytes& out);
    Action reject(wire::SqlError error, std::string reason, Bytes& out);

    Setup setup_;
    State state_ = State::begun;
    auth::ScramVerifier verifier_;
    bool doomed_ = false;
    std::optional<auth::ScramServer> scram_;
    Secret received_;  // a cleartext password while it is being checked
};

}  // namespace pgsluice::protocol
