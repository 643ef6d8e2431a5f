#include "crypto.hpp"
#include "scram_attributes.hpp"

#include <pgsluice/auth/scram_client.hpp>
#include <pgsluice/base/check.hpp>

#include <charconv>

namespace pgsluice::auth {
namespace {

std::optional<std::uint32_t> positive_number(ByteView text) {
    std::uint32_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc() || end != text.data() + text.size() || number == 0) return std::nullopt;
    return number;
}

}  // namespace

ScramClient::ScramClient(Setup setup) : setup_(std::move(setup)), client_nonce_(base64(setup_.nonce)) {
    PGSLUICE_CHECK(!setup_.nonce.empty());
    PGSLUICE_CHECK(!setup_.uses_channel_binding || !setup_.channel_binding.empty());
}

// 'y' tells a server that does offer SCRAM-SHA-256-PLUS that somebody took it off its list.
std::string ScramClient::gs2_header() const {
    if (setup_.uses_channel_binding) return "p=tls-server-end-point,,";
    return setup_.channel_binding.empty() ? "n,," : "y,,";
}

std::string ScramClient::first_message() {
    // PostgreSQL takes the user name from the StartupMessage and ignores this one; libpq leaves it empty.
    client_first_bare_ = "n=,r=" + client_nonce_;
    return gs2_header() + client_first_bare_;
}

ScramClient::Step ScramClient::fail(std::string reason) {
    state_ = State::failed;
    return Failed{std::move(reason)};
}

ScramClient::Step ScramClient::resume(ByteView message) {
    if (message.size() > scram_message_limit) return fail("the server sent an over-long SCRAM message");
    if (message.find('\0') != ByteView::npos) return fail("the server sent a SCRAM message with a NUL in it");
    switch (state_) {
        case State::server_first: return on_server_first(message);
        case State::server_final: return on_server_final(message);
        case State::deriving:
        case State::verified:
        case State::failed: break;
    }
    return fail("the server sent a SCRAM message out of order");
}

ScramClient::Step ScramClient::on_server_first(ByteView message) {
    ScramAttributes attributes(message);
    const auto nonce = attributes.value('r');
    if (!nonce) return fail("malformed SCRAM message from the server: no nonce");
    if (!nonce->starts_with(client_nonce_) || nonce->size() == client_nonce_.size() || !is_scram_printable(*nonce)) {
        return fail("invalid SCRAM message from the server: wrong nonce");
    }
    const auto salt_text = attributes.value('s');
    auto salt = salt_text ? from_base64(*salt_text) : std::nullopt;
    if (!salt || salt->empty()) return fail("malformed SCRAM message from the server: invalid salt");
    const auto count_text = attributes.value('i');
    const auto iterations = count_text ? positive_number(*count_text) : std::nullopt;
    if (!iterations) return fail("malformed SCRAM message from the server: invalid iteration count");
    if (!attributes.at_end()) return fail("malformed SCRAM message from the server: garbage at its end");
    nonce_ = *nonce;
    server_first_ = message;

    // Keys that came by pass-through were derived with the salt and the count that this server stores, or they are
    // wrong and its signature will say so: nothing is derived, so no count is too high.
    if (const auto* keys = std::get_if<ScramKeys>(&setup_.source)) return prove(*keys);
    if (*iterations > setup_.max_iterations) {
        return fail("the server asks for " + std::to_string(*iterations) + " SCRAM iterations, the limit is " +
                    std::to_string(setup_.max_iterations));
    }
    state_ = State::deriving;
    return Derivation{std::get<Secret>(setup_.source), std::move(*salt), *iterations};
}

ScramClient::Step ScramClient::resume(const ScramKeys& keys) {
    PGSLUICE_CHECK(state_ == State::deriving);
    return prove(keys);
}

ScramClient::Step ScramClient::prove(const ScramKeys& keys) {
    Bytes binding = gs2_header();
    if (setup_.uses_channel_binding) binding += setup_.channel_binding;
    const std::string without_proof = "c=" + base64(binding) + ",r=" + nonce_;

    const Secret stored_key(sha256({keys.client_key.reveal()}));
    const auto signature =
        hmac_sha256(stored_key.reveal(), {client_first_bare_, ",", server_first_, ",", without_proof});
    server_signature_ =
        Secret(hmac_sha256(keys.server_key.reveal(), {client_first_bare_, ",", server_first_, ",", without_proof}));
    state_ = State::server_final;
    return Send{without_proof + ",p=" + base64(exclusive_or(keys.client_key.reveal(), signature))};
}

ScramClient::Step ScramClient::on_server_final(ByteView message) {
    ScramAttributes attributes(message);
    if (attributes.peek() == 'e') return fail("the server ended the SCRAM exchange with an error");
    const auto text = attributes.value('v');
    auto signature = text ? from_base64(*text) : std::nullopt;
    if (!signature || !attributes.at_end()) return fail("malformed SCRAM message from the server: invalid signature");
    if (!(Secret(std::move(*signature)) == server_signature_)) {
        return fail("wrong SCRAM signature: the server does not know the password");
    }
    state_ = State::verified;
    return Verified{};
}

}  // namespace pgsluice::auth
