// Logs in to a PostgreSQL server: StartupMessage, authentication, parameters, first ReadyForQuery. The server may be
// hostile, or no PostgreSQL at all: every message out of order ends in a Failed, no text that it sent before it proved
// itself is meant for a client, and an AuthenticationOk that cuts a SCRAM exchange short is a wrong server.
//
// Driver: connect, negotiate TLS (ssl_answer), begin(out), then: NeedMore: read bytes, resume(buffer, out), drop
// `consumed`; Derive: auth::derive off the worker or from a cache, resume(keys, out), then what is unread before more
// is read. Send `out` before obeying an action.
#pragma once

#include <pgsluice/auth/credential.hpp>
#include <pgsluice/auth/scram_client.hpp>
#include <pgsluice/base/bytes.hpp>
#include <pgsluice/wire/startup_options.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace pgsluice::protocol {

// The one byte that answers an SSLRequest. Anything but 'S' and 'N' comes from a server that knows no SSLRequest or is
// no PostgreSQL; what follows an 'E' is never read (CVE-2024-10977).
enum class SslAnswer : std::uint8_t { accepted, refused, unexpected };
constexpr SslAnswer ssl_answer(char byte) {
    return byte == 'S' ? SslAnswer::accepted : byte == 'N' ? SslAnswer::refused : SslAnswer::unexpected;
}

class ServerLogin {
  public:
    using Password = std::variant<auth::NoPassword, auth::PlainPassword, auth::Md5Password, auth::ScramKeys>;

    // What a stored password is good for at a server: a verifier tells nothing that could be sent.
    static Password password_of(const auth::Credential& stored);

    struct Setup {
        std::string user, database;
        std::vector<wire::Setting> parameters;  // sent in the StartupMessage behind user and database
        Password password;
        Bytes nonce;  // auth::scram_nonce_bytes, fresh
        std::uint32_t max_iterations = auth::scram_iterations_limit;
        bool allow_cleartext = true;  // answer a server that asks for the password in clear
        Bytes channel_binding;        // the server certificate's tls-server-end-point hash; empty: none
        // Nothing but SCRAM-SHA-256-PLUS will do: whoever stands between us and the server cannot take part in it.
        bool requires_channel_binding = false;
    };

    struct NeedMore {};
    using Derive = auth::Derivation;
    struct Done {
        std::vector<wire::Setting> parameters;  // as reported, in order, the last value of each name
        std::int32_t process_id = 0;
        Bytes cancel_secret;  // empty: the server gave no key (some poolers), so it cannot be cancelled
    };
    enum class Reason : std::uint8_t {
        refused,    // the server sent an ErrorResponse
        password,   // it asked for what we do not have, or would not give
        imposter,   // it could not prove that it knows the password
        violation,  // it broke the protocol
    };
    struct Failed {
        Reason reason = Reason::violation;
        std::string text;  // for the log, to be escaped: may quote the server
        // The server's error, for Reason::refused. After `authenticated` a client may see it as it stands; before, only
        // its SQLSTATE says anything (CVE-2024-10977).
        bool authenticated = false;
        std::string sqlstate, message, detail, hint;
    };
    using Action = std::variant<NeedMore, Derive, Done, Failed>;
    struct Step {
        std::size_t consumed = 0;
        Action action;
    };

    explicit ServerLogin(Setup setup);

    Action begin(Bytes& out);
    // `buffer`: all unread bytes. After Done nothing may be left of them: see Step::consumed.
    Step resume(ByteView buffer, Bytes& out);
    Action resume(const auth::ScramKeys& keys, Bytes& out);

  private:
    enum class State : std::uint8_t {
        authenticating,  // before the server has asked for anything
        password_sent,   // md5 or cleartext: AuthenticationOk or an error is next
        scram,           // between AuthenticationSASL and AuthenticationSASLFinal
        deriving,
        scram_verified,  // AuthenticationOk or an error is next
        starting,        // AuthenticationOk has come: parameters, key, ReadyForQuery
        finished,
    };

    Action on_message(char tag, ByteView body, Bytes& out);
    Action on_authentication(ByteView body, Bytes& out);
    Action on_cleartext_request(Bytes& out);
    Action on_md5_request(ByteView salt, Bytes& out);
    Action on_sasl(ByteView data, Bytes& out);
    Action on_scram_step(auth::ScramClient::Step step, Bytes& out);
    Action on_error(ByteView body);
    Action on_parameter_status(ByteView body);
    Action on_key(ByteView body);
    Action on_ready(ByteView body);
    Action fail(Reason reason, std::string text);

    Setup setup_;
    State state_ = State::authenticating;
    bool negotiated_ = false, has_key_ = false;
    std::optional<auth::ScramClient> scram_;
    Done result_;
    std::size_t parameter_bytes_ = 0;  // of their names and values
};

}  // namespace pgsluice::protocol
