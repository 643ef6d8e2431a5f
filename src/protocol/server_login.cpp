#include <pgsluice/auth/md5.hpp>
#include <pgsluice/base/check.hpp>
#include <pgsluice/protocol/parameter_set.hpp>
#include <pgsluice/protocol/server_login.hpp>
#include <pgsluice/wire/backend_messages.hpp>
#include <pgsluice/wire/frame.hpp>
#include <pgsluice/wire/frontend_messages.hpp>
#include <pgsluice/wire/sql_error.hpp>
#include <pgsluice/wire/startup_packet.hpp>

#include <algorithm>

namespace pgsluice::protocol {
namespace {

using wire::AuthenticationCode;
using wire::BackendTag;

// Nothing that belongs into a login is longer; more would be held in memory for a stranger (libpq: MAX_ERRLEN 30000).
constexpr std::size_t longest_message = 65536;
constexpr std::size_t most_parameters = 100;  // PostgreSQL 18 reports 16, and extensions may add some

bool is_sqlstate(ByteView text) {
    return text.size() == 5 && std::all_of(text.begin(), text.end(),
                                           [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}

bool offers(const std::vector<ByteView>& mechanisms, ByteView name) {
    return std::find(mechanisms.begin(), mechanisms.end(), name) != mechanisms.end();
}

}  // namespace

ServerLogin::Password ServerLogin::password_of(const auth::Credential& stored) {
    if (const auto* plain = std::get_if<auth::PlainPassword>(&stored)) return *plain;
    if (const auto* md5 = std::get_if<auth::Md5Password>(&stored)) return *md5;
    return auth::NoPassword{};
}

ServerLogin::ServerLogin(Setup setup) : setup_(std::move(setup)) {
    PGSLUICE_CHECK(!setup_.user.empty() && setup_.nonce.size() >= auth::scram_nonce_bytes);
}

ServerLogin::Action ServerLogin::begin(Bytes& out) {
    std::vector<std::pair<ByteView, ByteView>> parameters{{"user", setup_.user}, {"database", setup_.database}};
    for (const auto& [name, value] : setup_.parameters) {
        // An empty name would end the list early.
        PGSLUICE_CHECK(!name.empty() && name != "user" && name != "database");
        parameters.emplace_back(name, value);
    }
    wire::write_startup_message(out, parameters);
    return NeedMore{};
}

ServerLogin::Step ServerLogin::resume(ByteView buffer, Bytes& out) {
    PGSLUICE_CHECK(state_ != State::deriving && state_ != State::finished);
    std::size_t consumed = 0;
    while (true) {
        const ByteView rest = buffer.substr(consumed);
        const wire::Frame frame = wire::cut_backend(rest);
        if (frame.cut == wire::Cut::unknown_type || frame.cut == wire::Cut::invalid_length ||
            frame.size > longest_message) {
            return {buffer.size(), fail(Reason::violation, "the server does not speak PostgreSQL's protocol")};
        }
        if (frame.cut == wire::Cut::need_more || frame.size > rest.size()) return {consumed, NeedMore{}};
        consumed += frame.size;
        auto action = on_message(frame.tag, wire::body_of(rest, frame), out);
        if (std::holds_alternative<NeedMore>(action)) continue;
        if (std::holds_alternative<Failed>(action)) consumed = buffer.size();
        return {consumed, std::move(action)};
    }
}

// One table: what may come in which state. A notice may come at any time; parameters and notifications are let through
// early too, since they change nothing before ReadyForQuery.
ServerLogin::Action ServerLogin::on_message(char tag, ByteView body, Bytes& out) {
    switch (static_cast<BackendTag>(tag)) {
        case BackendTag::authentication:
            if (state_ == State::starting) break;
            return on_authentication(body, out);
        case BackendTag::error_response: return on_error(body);
        case BackendTag::notice_response:
        case BackendTag::notification_response: return NeedMore{};
        case BackendTag::parameter_status: return on_parameter_status(body);
        case BackendTag::negotiate_protocol_version:
            // We ask for 3.0 without options, so it says nothing new; twice it is a loop.
            if (state_ != State::authenticating || negotiated_) break;
            negotiated_ = true;
            return NeedMore{};
        case BackendTag::backend_key_data:
            if (state_ != State::starting || has_key_) break;
            return on_key(body);
        case BackendTag::ready_for_query:
            if (state_ != State::starting) break;
            return on_ready(body);
        default: break;
    }
    return fail(Reason::violation, std::string("unexpected message '") + tag + "' from the server during login");
}

ServerLogin::Action ServerLogin::on_authentication(ByteView body, Bytes& out) {
    const auto request = wire::read_authentication(body);
    if (!request) return fail(Reason::violation, "malformed authentication request from the server");
    const auto code = static_cast<AuthenticationCode>(request->code);

    if (state_ == State::scram) {
        if (code == AuthenticationCode::sasl_continue || code == AuthenticationCode::sasl_final) {
            auto step = scram_->resume(request->data);
            // SASLFinal carries the signature and SASLContinue everything before it: one in the other's place would let
            // a server skip a step.
            const bool is_last = std::holds_alternative<auth::ScramClient::Verified>(step);
            const bool has_failed = std::holds_alternative<auth::ScramClient::Failed>(step);
            if (!has_failed && is_last != (code == AuthenticationCode::sasl_final)) {
                return fail(Reason::violation, "the server's SCRAM messages are out of order");
            }
            return on_scram_step(std::move(step), out);
        }
        // Accepting here would be to log in at a server that never proved anything.
        return fail(Reason::imposter,
                    "the server ended the SCRAM exchange before it proved that it knows the password");
    }
    if (setup_.requires_channel_binding && state_ != State::scram_verified && code != AuthenticationCode::sasl) {
        return fail(Reason::imposter,
                    "the server does not bind the login to the TLS connection, which "
                    "channel_binding asks for");
    }
    if (code == AuthenticationCode::ok) {
        if (!request->data.empty()) return fail(Reason::violation, "malformed AuthenticationOk from the server");
        state_ = State::starting;
        return NeedMore{};
    }
    if (state_ != State::authenticating) {
        return fail(Reason::violation, "the server asked for authentication a second time");
    }
    switch (code) {
        case AuthenticationCode::cleartext_password:
            if (!request->data.empty()) break;
            return on_cleartext_request(out);
        case AuthenticationCode::md5_password:
            if (request->data.size() != auth::md5_salt_bytes) break;
            return on_md5_request(request->data, out);
        case AuthenticationCode::sasl: return on_sasl(request->data, out);
        case AuthenticationCode::sasl_continue:
        case AuthenticationCode::sasl_final: break;
        default:
            return fail(Reason::password, "the server asks for authentication method " + std::to_string(request->code) +
                                              ", which is not supported");
    }
    return fail(Reason::violation, "malformed authentication request from the server");
}

ServerLogin::Action ServerLogin::on_cleartext_request(Bytes& out) {
    const auto* plain = std::get_if<auth::PlainPassword>(&setup_.password);
    if (plain == nullptr) {
        return fail(Reason::password, "the server asks for the password in clear, and there is no plain password");
    }
    if (!setup_.allow_cleartext) {
        return fail(Reason::password, "the server asks for the password in clear, which is not allowed here");
    }
    const Secret body(Bytes(plain->value.reveal()) + '\0');
    wire::write_password(out, body.reveal());
    state_ = State::password_sent;
    return NeedMore{};
}

ServerLogin::Action ServerLogin::on_md5_request(ByteView salt, Bytes& out) {
    Secret stored;
    if (const auto* plain = std::get_if<auth::PlainPassword>(&setup_.password)) {
        stored = auth::md5_hash(plain->value.reveal(), setup_.user);
    } else if (const auto* md5 = std::get_if<auth::Md5Password>(&setup_.password)) {
        stored = md5->hash;
    } else {
        return fail(Reason::password,
                    "the server asks for an md5 password, and there is neither a plain nor an md5 one");
    }
    const Secret body(Bytes(auth::md5_response(stored, salt).reveal()) + '\0');
    wire::write_password(out, body.reveal());
    state_ = State::password_sent;
    return NeedMore{};
}

ServerLogin::Action ServerLogin::on_sasl(ByteView data, Bytes& out) {
    const auto mechanisms = wire::read_sasl_mechanisms(data);
    if (!mechanisms) return fail(Reason::violation, "malformed authentication request from the server");
    const bool plus = !setup_.channel_binding.empty() && offers(*mechanisms, auth::scram_sha_256_plus);
    if (!plus && setup_.requires_channel_binding) {
        return fail(Reason::imposter,
                    "the server offers no SCRAM-SHA-256-PLUS for this connection, which "
                    "channel_binding asks for");
    }
    if (!plus && !offers(*mechanisms, auth::scram_sha_256)) {
        return fail(Reason::password, "the server offers no SASL mechanism that is supported");
    }
    auth::ScramClient::Setup scram{{}, setup_.nonce, setup_.max_iterations, setup_.channel_binding, plus};
    if (const auto* plain = std::get_if<auth::PlainPassword>(&setup_.password)) {
        scram.source = plain->value;
    } else if (const auto* keys = std::get_if<auth::ScramKeys>(&setup_.password)) {
        scram.source = *keys;
    } else {
        return fail(Reason::password,
                    "the server asks for SCRAM, and there is neither a plain password nor SCRAM keys");
    }
    scram_.emplace(std::move(scram));
    wire::write_sasl_initial_response(out, plus ? auth::scram_sha_256_plus : auth::scram_sha_256,
                                      scram_->first_message());
    state_ = State::scram;
    return NeedMore{};
}

ServerLogin::Action ServerLogin::on_scram_step(auth::ScramClient::Step step, Bytes& out) {
    if (const auto* send = std::get_if<auth::ScramClient::Send>(&step)) {
        wire::write_password(out, send->message);
        state_ = State::scram;
        return NeedMore{};
    }
    if (auto* wanted = std::get_if<auth::Derivation>(&step)) {
        state_ = State::deriving;
        return std::move(*wanted);
    }
    if (auto* failed = std::get_if<auth::ScramClient::Failed>(&step)) {
        return fail(Reason::imposter, std::move(failed->reason));
    }
    state_ = State::scram_verified;
    return NeedMore{};
}

ServerLogin::Action ServerLogin::resume(const auth::ScramKeys& keys, Bytes& out) {
    PGSLUICE_CHECK(state_ == State::deriving);
    return on_scram_step(scram_->resume(keys), out);
}

ServerLogin::Action ServerLogin::on_error(ByteView body) {
    wire::ErrorFields fields;
    if (!wire::read_error(body, fields)) return fail(Reason::violation, "malformed ErrorResponse from the server");
    Failed failed;
    failed.reason = Reason::refused;
    failed.authenticated = state_ == State::starting;
    failed.sqlstate = is_sqlstate(fields.sqlstate) ? fields.sqlstate : ByteView("XX000");
    failed.message = fields.message;
    failed.detail = fields.detail;
    failed.hint = fields.hint;
    failed.text = "the server refused the login: " + failed.message + " (" + failed.sqlstate + ")";
    state_ = State::finished;
    return failed;
}

ServerLogin::Action ServerLogin::on_parameter_status(ByteView body) {
    const auto status = wire::read_parameter_status(body);
    if (!status) return fail(Reason::violation, "malformed ParameterStatus from the server");
    auto& known = result_.parameters;
    const auto same = [&](const wire::Setting& setting) { return setting.first == status->name; };
    const auto earlier = std::find_if(known.begin(), known.end(), same);
    if (earlier == known.end()) {
        if (known.size() == most_parameters) return fail(Reason::violation, "the server reports too many parameters");
        parameter_bytes_ += status->name.size();
    } else {
        parameter_bytes_ -= earlier->second.size();
    }
    parameter_bytes_ += status->value.size();
    if (parameter_bytes_ > most_reported_at_login)
        return fail(Reason::violation, "the parameters that the server reports are too long");
    if (earlier == known.end())
        known.emplace_back(status->name, status->value);
    else
        earlier->second = status->value;
    return NeedMore{};
}

ServerLogin::Action ServerLogin::on_key(ByteView body) {
    const auto key = wire::read_backend_key_data(body);
    if (!key) return fail(Reason::violation, "malformed BackendKeyData from the server");
    has_key_ = true;
    result_.process_id = key->process_id;
    result_.cancel_secret = key->secret;
    return NeedMore{};
}

ServerLogin::Action ServerLogin::on_ready(ByteView body) {
    if (wire::read_ready_for_query(body) != wire::TransactionStatus::idle) {
        return fail(Reason::violation, "malformed ReadyForQuery from the server");
    }
    state_ = State::finished;
    return std::move(result_);
}

ServerLogin::Action ServerLogin::fail(Reason reason, std::string text) {
    state_ = State::finished;
    return Failed{reason, std::move(text), false, {}, {}, {}, {}};
}

}  // namespace pgsluice::protocol
