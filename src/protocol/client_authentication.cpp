#include <pgsluice/auth/md5.hpp>
#include <pgsluice/auth/rules.hpp>
#include <pgsluice/base/check.hpp>
#include <pgsluice/protocol/client_authentication.hpp>
#include <pgsluice/wire/backend_messages.hpp>
#include <pgsluice/wire/frame.hpp>
#include <pgsluice/wire/reader.hpp>

#include <algorithm>
#include <array>

namespace pgsluice::protocol {
namespace {

using config::AuthMethod;

constexpr std::uint32_t longest_password_message = 65535;  // PG_MAX_AUTH_TOKEN_LENGTH; counts the length word

wire::SqlError violation(std::string message) {
    return wire::fatal("08P01", std::move(message));
}

std::string too_dear(std::uint32_t iterations) {
    return "the verifier on file has " + std::to_string(iterations) + " iterations, more than the " +
           std::to_string(auth::scram_iterations_limit) +
           " that are computed for a password in clear: set the password again with fewer, or let the rule ask for "
           "scram-sha-256";
}

template <class Kind>
bool holds(const std::optional<auth::Credential>& credential) {
    return credential && std::holds_alternative<Kind>(*credential);
}

}  // namespace

ClientAuthentication::ClientAuthentication(Setup setup) : setup_(std::move(setup)) {
    PGSLUICE_CHECK(setup_.nonce.size() >= auth::scram_nonce_bytes && setup_.md5_salt.size() == auth::md5_salt_bytes);
}

ClientAuthentication::Action ClientAuthentication::begin(Bytes& out) {
    PGSLUICE_CHECK(state_ == State::begun);
    const AuthMethod method = setup_.rule.method;
    const bool wants_certificate = method == AuthMethod::cert ||
                                   setup_.listener_tls == config::ListenerTlsMode::verify_ca ||
                                   setup_.listener_tls == config::ListenerTlsMode::verify_full;
    if (wants_certificate && method != AuthMethod::reject) {
        if (!setup_.certificate_name) {
            return reject(wire::fatal("28000", "connection requires a valid client certificate"), "no certificate",
                          out);
        }
        const bool wants_name =
            method == AuthMethod::cert || setup_.listener_tls == config::ListenerTlsMode::verify_full;
        if (wants_name && !auth::maps_to_user(setup_.rule, *setup_.certificate_name, setup_.user)) {
            return fail("the certificate's name does not map to the user", out);
        }
    }
    switch (method) {
        case AuthMethod::trust:
        case AuthMethod::cert: return accept({}, out);
        case AuthMethod::reject: break;
        case AuthMethod::peer:
            if (setup_.peer_name && auth::maps_to_user(setup_.rule, *setup_.peer_name, setup_.user)) {
                return accept({}, out);
            }
            return fail("the owner of the client's process does not map to the user", out);
        case AuthMethod::password: return ask_cleartext(out);
        case AuthMethod::md5: return answers_md5() ? ask_md5(out) : ask_scram(out);
        case AuthMethod::scram_sha_256: return ask_scram(out);
    }
    return fail("the rule rejects", out);
}

// Under an md5 rule. A verifier cannot answer a challenge, so SCRAM is asked for, as PostgreSQL does
// (CheckPWChallengeAuth); who has nothing on file must look like those who have.
bool ClientAuthentication::answers_md5() const {
    if (holds<auth::ScramVerifier>(setup_.credential)) return false;
    return holds<auth::Md5Password>(setup_.credential) || holds<auth::PlainPassword>(setup_.credential) ||
           setup_.unknown_answer_md5;
}

ClientAuthentication::Action ClientAuthentication::ask_cleartext(Bytes& out) {
    state_ = State::cleartext;
    wire::write_authentication(out, wire::AuthenticationCode::cleartext_password);
    return NeedMessage{};
}

ClientAuthentication::Action ClientAuthentication::ask_md5(Bytes& out) {
    state_ = State::md5;
    wire::write_authentication(out, wire::AuthenticationCode::md5_password, setup_.md5_salt);
    return NeedMessage{};
}

ClientAuthentication::Action ClientAuthentication::ask_scram(Bytes& out) {
    if (holds<auth::PlainPassword>(setup_.credential)) {
        state_ = State::deriving_verifier;
        // The salt is that of an unknown user, so a password kept plain cannot be told from none by it, and the keys
        // can be cached.
        return Derive{std::get<auth::PlainPassword>(*setup_.credential).value,
                      auth::stand_in_salt(setup_.user, setup_.process_secret), derived_iterations()};
    }
    if (holds<auth::ScramVerifier>(setup_.credential)) {
        verifier_ = std::get<auth::ScramVerifier>(*setup_.credential);
    } else {
        doomed_ = true;
        verifier_ = auth::ScramServer::stand_in_verifier(setup_.user, setup_.process_secret, setup_.usual_iterations);
    }
    return offer_scram(out);
}

// For a password that is stored plain, which looks like that of an unknown user as far as we compute.
std::uint32_t ClientAuthentication::derived_iterations() const {
    return std::min(setup_.usual_iterations, auth::scram_iterations_limit);
}

ClientAuthentication::Action ClientAuthentication::offer_scram(Bytes& out) {
    state_ = State::sasl_initial;
    // Strongest first, as RFC 5802 wants it.
    std::vector<ByteView> mechanisms;
    if (!setup_.channel_binding.empty()) mechanisms.push_back(auth::scram_sha_256_plus);
    mechanisms.push_back(auth::scram_sha_256);
    wire::write_authentication_sasl(out, mechanisms);
    return NeedMessage{};
}

ClientAuthentication::Step ClientAuthentication::resume(ByteView buffer, Bytes& out) {
    std::size_t consumed = 0;
    while (true) {
        auto step = read_message(buffer.substr(consumed), out);
        consumed += step.consumed;
        if (step.consumed == 0 || !std::holds_alternative<NeedMessage>(step.action))
            return {consumed, std::move(step.action)};
    }
}

// At most one message from the front of `buffer`.
ClientAuthentication::Step ClientAuthentication::read_message(ByteView buffer, Bytes& out) {
    const bool is_sasl = state_ == State::sasl_initial || state_ == State::sasl_continue;
    PGSLUICE_CHECK(is_sasl || state_ == State::cleartext || state_ == State::md5);
    if (buffer.empty()) return {0, NeedMessage{}};
    if (buffer[0] != 'p') {
        const auto type = std::to_string(static_cast<unsigned char>(buffer[0]));
        return {buffer.size(), reject(violation((is_sasl ? "expected SASL response, got message type "
                                                         : "expected password response, got message type ") +
                                                type),
                                      "unexpected message", out)};
    }
    if (buffer.size() < wire::header_bytes) return {0, NeedMessage{}};
    const auto length = static_cast<std::uint32_t>(wire::Reader(buffer.substr(1)).int32());
    if (length < 4 || length > (is_sasl ? auth::scram_message_limit : longest_password_message)) {
        if (is_sasl) return {buffer.size(), fail("invalid message length", out)};
        state_ = State::finished;
        return {buffer.size(), Close{"invalid message length"}};
    }
    const std::size_t size = std::size_t{length} + 1;
    if (buffer.size() < size) return {0, NeedMessage{}};
    return {size, on_message(buffer.substr(wire::header_bytes, size - wire::header_bytes), out)};
}

ClientAuthentication::Action ClientAuthentication::on_message(ByteView body, Bytes& out) {
    switch (state_) {
        case State::cleartext: return on_cleartext(body, out);
        case State::md5: return on_md5(body, out);
        case State::sasl_initial: return on_sasl_initial(body, out);
        default: return on_scram(body, out);
    }
}

// What holds for every PasswordMessage (recv_password_packet).
std::optional<ClientAuthentication::Action> ClientAuthentication::check_password_packet(ByteView body, Bytes& out) {
    if (body.find('\0') != body.size() - 1 || body.empty()) {
        return reject(violation("invalid password packet size"), "malformed message", out);
    }
    if (body.size() == 1) {
        return reject(wire::fatal("28P01", "empty password returned by client"), "empty password", out);
    }
    return std::nullopt;
}

ClientAuthentication::Action ClientAuthentication::on_cleartext(ByteView body, Bytes& out) {
    if (auto refused = check_password_packet(body, out)) return std::move(*refused);
    received_ = Secret(Bytes(body.substr(0, body.size() - 1)));
    if (!setup_.credential) return fail_proof(why_unknown(), out);
    auto verdict = auth::check_password(*setup_.credential, setup_.user, received_);
    if (auto* wanted = std::get_if<auth::Derivation>(&verdict)) {
        // A role sets its own count, and whoever computes it keeps others waiting.
        if (wanted->iterations > auth::scram_iterations_limit) return fail_proof(too_dear(wanted->iterations), out);
        state_ = State::checking_cleartext;
        return std::move(*wanted);
    }
    if (!std::get<bool>(verdict)) return fail_proof("wrong password", out);
    return accept({std::nullopt, std::move(received_)}, out);
}

ClientAuthentication::Action ClientAuthentication::on_md5(ByteView body, Bytes& out) {
    if (auto refused = check_password_packet(body, out)) return std::move(*refused);
    const Secret response(Bytes(body.substr(0, body.size() - 1)));
    Secret stored;
    if (holds<auth::Md5Password>(setup_.credential)) {
        stored = std::get<auth::Md5Password>(*setup_.credential).hash;
    } else if (holds<auth::PlainPassword>(setup_.credential)) {
        stored = auth::md5_hash(std::get<auth::PlainPassword>(*setup_.credential).value.reveal(), setup_.user);
    } else {
        return fail_proof(setup_.credential ? "the user has no password" : why_unknown(), out);
    }
    if (!(auth::md5_response(stored, setup_.md5_salt) == response)) return fail_proof("wrong password", out);
    return accept({std::nullopt, plain_password()}, out);
}

ClientAuthentication::Action ClientAuthentication::on_sasl_initial(ByteView body, Bytes& out) {
    // The order of the checks is that of CheckSASLAuth, since each has its own text.
    wire::Reader reader(body);
    const ByteView mechanism = reader.string();
    if (!reader.ok()) return reject(violation("invalid string in message"), "malformed message", out);
    const bool plus = mechanism == auth::scram_sha_256_plus && !setup_.channel_binding.empty();
    if (!plus && mechanism != auth::scram_sha_256) {
        return reject(violation("client selected an invalid SASL authentication mechanism"), "unknown mechanism", out);
    }
    const std::int32_t length = reader.int32();
    std::optional<ByteView> message;
    if (length != -1) message = reader.bytes(static_cast<std::uint32_t>(length));
    if (!reader.ok()) return reject(violation("insufficient data left in message"), "malformed message", out);
    if (!reader.at_end()) return reject(violation("invalid message format"), "malformed message", out);

    state_ = State::sasl_continue;
    scram_.emplace(auth::ScramServer::Setup{std::move(verifier_), doomed_, setup_.nonce, setup_.channel_binding, plus});
    return on_scram(message, out);
}

ClientAuthentication::Action ClientAuthentication::on_scram(std::optional<ByteView> message, Bytes& out) {
    auto step = scram_->resume(message);
    if (auto* next = std::get_if<auth::ScramServer::Continue>(&step)) {
        wire::write_authentication(out, wire::AuthenticationCode::sasl_continue, next->message);
        return NeedMessage{};
    }
    if (auto* done = std::get_if<auth::ScramServer::Accepted>(&step)) {
        wire::write_authentication(out, wire::AuthenticationCode::sasl_final, done->message);
        if (!plain_password().empty()) return accept({std::nullopt, plain_password()}, out);
        return accept({std::move(done->keys), Secret()}, out);
    }
    if (auto* error = std::get_if<wire::SqlError>(&step)) return reject(std::move(*error), "malformed message", out);
    if (!setup_.credential) return fail_proof(why_unknown(), out);
    return fail_proof(doomed_ ? "the user has no password that SCRAM can use" : "wrong password", out);
}

ClientAuthentication::Action ClientAuthentication::resume(const auth::ScramKeys& keys, Bytes& out) {
    if (state_ == State::deriving_verifier) {
        verifier_ = auth::ScramVerifier::from_keys(keys, auth::stand_in_salt(setup_.user, setup_.process_secret),
                                                   derived_iterations());
        return offer_scram(out);
    }
    PGSLUICE_CHECK(state_ == State::checking_cleartext);
    if (!std::get<auth::ScramVerifier>(*setup_.credential).accepts(keys)) return fail_proof("wrong password", out);
    return accept({std::nullopt, std::move(received_)}, out);
}

// The stored password where it is plain, else an empty one.
const Secret& ClientAuthentication::plain_password() const {
    static const Secret none;
    return holds<auth::PlainPassword>(setup_.credential) ? std::get<auth::PlainPassword>(*setup_.credential).value
                                                         : none;
}

ClientAuthentication::Action ClientAuthentication::accept(Accepted accepted, Bytes& out) {
    state_ = State::finished;
    wire::write_authentication(out, wire::AuthenticationCode::ok);
    return accepted;
}

ClientAuthentication::Action ClientAuthentication::fail(std::string reason, Bytes& out) {
    return reject(auth::authentication_failed(setup_.rule.method, setup_.user), std::move(reason), out);
}

// Of who has nothing on file. Where look-ups fail, that says nothing of whether the user exists.
const char* ClientAuthentication::why_unknown() const {
    return setup_.lookups_fail ? "the user could not be looked up" : "no such user";
}

// At the end of an exchange, whatever was wrong with it.
ClientAuthentication::Action ClientAuthentication::fail_proof(std::string reason, Bytes& out) {
    if (!setup_.lookups_fail) return fail(std::move(reason), out);
    return reject(wire::fatal("57P03", "could not look up the user", "", "The log of pgsluice tells why."),
                  std::move(reason), out);
}

ClientAuthentication::Action ClientAuthentication::reject(wire::SqlError error, std::string reason, Bytes& out) {
    state_ = State::finished;
    wire::write_error(out, error);
    return Rejected{std::move(error), std::move(reason)};
}

}  // namespace pgsluice::protocol
