#include "crypto.hpp"
#include "scram_attributes.hpp"

#include <pgsluice/auth/scram_server.hpp>
#include <pgsluice/base/check.hpp>

namespace pgsluice::auth {
namespace {

constexpr ByteView channel_binding_type = "tls-server-end-point";

wire::SqlError violation(std::string message, std::string detail = {}) {
    return wire::fatal("08P01", std::move(message), std::move(detail));
}

wire::SqlError malformed(std::string detail) {
    return violation("malformed SCRAM message", std::move(detail));
}

}  // namespace

ScramServer::ScramServer(Setup setup) : setup_(std::move(setup)) {
    PGSLUICE_CHECK(!setup_.nonce.empty());
    PGSLUICE_CHECK(!setup_.uses_channel_binding || !setup_.channel_binding.empty());
}

ScramVerifier ScramServer::stand_in_verifier(std::string_view user, const Secret& process_secret,
                                             std::uint32_t iterations) {
    ScramVerifier verifier;
    verifier.iterations = iterations;
    verifier.salt = stand_in_salt(user, process_secret);
    verifier.stored_key = Secret(Bytes(scram_key_bytes, '\0'));
    verifier.server_key = Secret(Bytes(scram_key_bytes, '\0'));
    return verifier;
}

ScramServer::Step ScramServer::resume(std::optional<ByteView> message) {
    if (state_ == State::finished) return violation("unexpected SCRAM message");
    if (!message) {
        if (state_ == State::client_first) return Continue{};
        message = ByteView();
    }
    if (message->empty()) return malformed("The message is empty.");
    if (message->find('\0') != ByteView::npos) return malformed("Message length does not match input length.");
    return state_ == State::client_first ? on_client_first(*message) : on_client_final(*message);
}

ScramServer::Step ScramServer::on_client_first(ByteView message) {
    ScramAttributes attributes(message);

    binding_flag_ = attributes.peek();
    if (binding_flag_ == 'n' || binding_flag_ == 'y') {
        if (setup_.uses_channel_binding) {
            return malformed(
                "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data.");
        }
        // Somebody between us may have taken SCRAM-SHA-256-PLUS off our list (RFC 5802 section 6).
        if (binding_flag_ == 'y' && !setup_.channel_binding.empty()) {
            return violation("SCRAM channel binding negotiation error",
                             "The client supports SCRAM channel binding but thinks the server does not.  However, this "
                             "server does support channel binding.");
        }
        attributes.skip();
        if (attributes.peek() != ',') {
            return malformed("Comma expected, but found character \"" + shown(attributes.peek()) + "\".");
        }
        attributes.skip();
    } else if (binding_flag_ == 'p') {
        if (!setup_.uses_channel_binding) {
            return malformed(
                "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel "
                "binding data.");
        }
        const auto type = attributes.value('p');
        if (!type) return malformed(attributes.problem());
        if (*type != channel_binding_type) return violation("unsupported SCRAM channel-binding type");
    } else {
        return malformed("Unexpected channel-binding flag \"" + shown(binding_flag_) + "\".");
    }

    if (attributes.peek() == 'a') {
        return wire::fatal("0A000", "client uses authorization identity, but it is not supported");
    }
    if (attributes.peek() != ',') {
        return malformed("Unexpected attribute \"" + shown(attributes.peek()) + "\" in client-first-message.");
    }
    attributes.skip();

    client_first_bare_ = attributes.rest();
    if (attributes.peek() == 'm') return wire::fatal("0A000", "client requires an unsupported SCRAM extension");
    // The user name in it counts for nothing: the identity was set by the StartupMessage.
    if (!attributes.value('n')) return malformed(attributes.problem());
    const auto client_nonce = attributes.value('r');
    if (!client_nonce) return malformed(attributes.problem());
    if (!is_scram_printable(*client_nonce)) return violation("non-printable characters in SCRAM nonce");
    while (!attributes.at_end()) {
        if (!attributes.any()) return malformed(attributes.problem());
    }

    nonce_ = Bytes(*client_nonce) + base64(setup_.nonce);
    server_first_ =
        "r=" + nonce_ + ",s=" + base64(setup_.verifier.salt) + ",i=" + std::to_string(setup_.verifier.iterations);
    state_ = State::client_final;
    return Continue{server_first_};
}

// base64 of the GS2 header, with the hash of our certificate behind it where the channel is bound.
Bytes ScramServer::expected_channel_binding() const {
    if (!setup_.uses_channel_binding) return base64(Bytes(1, binding_flag_) + ",,");
    return base64("p=" + Bytes(channel_binding_type) + ",," + setup_.channel_binding);
}

ScramServer::Step ScramServer::on_client_final(ByteView message) {
    state_ = State::finished;
    ScramAttributes attributes(message);
    const auto binding = attributes.value('c');
    if (!binding) return malformed(attributes.problem());
    if (*binding != expected_channel_binding()) {
        if (setup_.uses_channel_binding) return wire::fatal("28000", "SCRAM channel binding check failed");
        return violation("unexpected SCRAM channel-binding attribute in client-final-message");
    }
    const auto nonce = attributes.value('r');
    if (!nonce) return malformed(attributes.problem());

    ByteView without_proof;
    ScramAttributes::Any extension{};
    do {
        // Ends before the comma that the proof stands behind.
        without_proof = message.substr(0, message.size() - attributes.rest().size() - 1);
        const auto next = attributes.any();
        if (!next) return malformed(attributes.problem());
        extension = *next;
    } while (extension.attribute != 'p');
    const auto proof = from_base64(extension.value);
    if (!proof || proof->size() != scram_key_bytes) return malformed("Malformed proof in client-final-message.");
    if (!attributes.at_end()) return malformed("Garbage found at the end of client-final-message.");
    if (*nonce != nonce_) return violation("invalid SCRAM response", "Nonce does not match.");

    // The proof is worked out for a doomed exchange too, so that it takes as long.
    const auto signature =
        hmac_sha256(setup_.verifier.stored_key.reveal(), {client_first_bare_, ",", server_first_, ",", without_proof});
    Secret client_key(exclusive_or(*proof, signature));
    const bool right = Secret(sha256({client_key.reveal()})) == setup_.verifier.stored_key;
    if (!right || setup_.doomed) return WrongProof{};

    const auto server_signature =
        hmac_sha256(setup_.verifier.server_key.reveal(), {client_first_bare_, ",", server_first_, ",", without_proof});
    return Accepted{"v=" + base64(server_signature), {std::move(client_key), setup_.verifier.server_key}};
}

}  // namespace pgsluice::auth
