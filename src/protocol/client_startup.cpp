#include "startup_identity.hpp"

#include <pgsluice/base/check.hpp>
#include <pgsluice/protocol/client_startup.hpp>
#include <pgsluice/wire/backend_messages.hpp>

#include <algorithm>

namespace pgsluice::protocol {
namespace {

// Protocol 3.2 differs from 3.0 in the length of cancel keys alone. 3.1 was never used.
constexpr std::uint16_t newest_minor = 2;

wire::SqlError unsupported_protocol(const wire::UnsupportedProtocol& asked) {
    return wire::fatal("0A000", "unsupported frontend protocol " + std::to_string(asked.major) + "." +
                                    std::to_string(asked.minor) + ": server supports 3.0 to 3.2");
}

// Protocol 1 and 2 know no fields: a text with a newline and a NUL behind an 'E' is all (send_message_to_frontend in
// src/backend/utils/error/elog.c).
void write_protocol_2_error(Bytes& out, const wire::SqlError& error) {
    out.append("EFATAL:  ").append(error.message).append("\n\0", 2);
}

wire::SqlError injected(const char* request) {
    return wire::fatal("08P01", std::string("received unencrypted data after ") + request,
                       "This could be either a client-software bug or evidence of an attempted man-in-the-middle "
                       "attack.");
}

// Protocol options that we do not know: the client is told their names and goes on without them.
void negotiate(const wire::StartupMessage& message, Bytes& out) {
    std::vector<ByteView> unknown;
    for (const auto& [name, value] : message.parameters) {
        if (name.starts_with(wire::protocol_option_prefix)) unknown.push_back(name);
    }
    if (message.minor > newest_minor || !unknown.empty()) {
        wire::write_negotiate_protocol_version(out, std::min(message.minor, newest_minor), unknown);
    }
}

}  // namespace

void ClientStartup::begin_encrypted() {
    PGSLUICE_CHECK(state_ == State::open && tls_ != config::ListenerTlsMode::disable);
    encrypted_ = true;
    gss_answered_ = true;
}

ClientStartup::Step ClientStartup::resume(ByteView buffer, Bytes& out) {
    PGSLUICE_CHECK(state_ != State::finished);
    if (state_ == State::tls_requested) {
        encrypted_ = true;
        state_ = State::open;
        if (injected_) return {buffer.size(), refuse(injected("SSL request"), out)};
    }
    std::size_t consumed = 0;
    // At most three packets: each request is read once, then it is an unknown protocol.
    while (true) {
        const ByteView rest = buffer.substr(consumed);
        const std::size_t size = wire::startup_packet_size(rest);
        if (size == wire::invalid_size) return {buffer.size(), close("invalid length of startup packet")};
        if (size == 0 || size > rest.size()) return {consumed, NeedMore{}};
        consumed += size;
        const Action action = on_packet(wire::read_startup_packet(rest.substr(0, size)), rest.size() - size, out);
        if (std::holds_alternative<NeedMore>(action)) continue;
        // What is not ours to read any more, and may not be read by anybody else either.
        if (!std::holds_alternative<Authenticate>(action)) consumed = buffer.size();
        return {consumed, action};
    }
}

ClientStartup::Action ClientStartup::on_packet(const wire::StartupPacket& packet, std::size_t behind, Bytes& out) {
    if (std::holds_alternative<wire::SslRequest>(packet)) {
        if (!ssl_answered_) return on_ssl_request(behind, out);
        return refuse(unsupported_protocol({1234, 5679}), out);
    }
    if (std::holds_alternative<wire::GssEncRequest>(packet)) {
        if (!gss_answered_) return on_gss_request(behind, out);
        return refuse(unsupported_protocol({1234, 5680}), out);
    }
    if (const auto* cancel = std::get_if<wire::CancelRequest>(&packet)) {
        state_ = State::finished;
        return Cancel{cancel->process_id, Bytes(cancel->secret)};
    }
    if (const auto* message = std::get_if<wire::StartupMessage>(&packet)) return on_startup(*message, out);
    if (const auto* other = std::get_if<wire::UnsupportedProtocol>(&packet)) {
        auto error = unsupported_protocol(*other);
        if (other->major != 1 && other->major != 2) return refuse(std::move(error), out);
        write_protocol_2_error(out, error);
        state_ = State::finished;
        return Close{std::move(error), "unsupported frontend protocol"};
    }
    if (std::get<wire::StartupError>(packet) == wire::StartupError::invalid_length) {
        return close("invalid length of startup packet");
    }
    return refuse(wire::fatal("08P01", "invalid startup packet layout: expected terminator as last byte"), out);
}

ClientStartup::Action ClientStartup::on_ssl_request(std::size_t behind, Bytes& out) {
    ssl_answered_ = true;
    if (tls_ == config::ListenerTlsMode::disable || encrypted_) {
        out += 'N';
        if (behind > 0) return refuse(injected("SSL request"), out);
        return NeedMore{};
    }
    // GSSAPI encryption is not asked for inside TLS: PostgreSQL counts it as answered.
    gss_answered_ = true;
    // Anyone on the path may have written what came in clear behind the request. As PostgreSQL does, the client is told
    // so inside TLS, where nobody else can have written the answer (CVE-2021-23214).
    injected_ = behind > 0;
    state_ = State::tls_requested;
    out += 'S';
    return StartTls{};
}

ClientStartup::Action ClientStartup::on_gss_request(std::size_t behind, Bytes& out) {
    gss_answered_ = true;
    out += 'N';
    if (behind > 0) return refuse(injected("GSSAPI encryption request"), out);
    return NeedMore{};
}

ClientStartup::Action ClientStartup::on_startup(const wire::StartupMessage& message, Bytes& out) {
    negotiate(message, out);
    auto identity = read_identity(message);
    if (auto* error = std::get_if<wire::SqlError>(&identity)) return refuse(std::move(*error), out);
    const bool needs_tls = tls_ != config::ListenerTlsMode::disable && tls_ != config::ListenerTlsMode::prefer;
    if (needs_tls && !encrypted_) {
        Close close = refuse(wire::fatal("28000", "connection requires SSL encryption", {},
                                         "Connect with sslmode=require or a stricter mode."),
                             out);
        close.lacks_tls = true;
        return close;
    }
    state_ = State::finished;
    auto& who = std::get<ClientIdentity>(identity);
    who.protocol_minor = std::min(message.minor, newest_minor);
    return Authenticate{std::move(who)};
}

ClientStartup::Close ClientStartup::refuse(wire::SqlError error, Bytes& out) {
    state_ = State::finished;
    wire::write_error(out, error);
    std::string reason = error.message;
    return Close{std::move(error), std::move(reason)};
}

ClientStartup::Action ClientStartup::close(const char* reason) {
    state_ = State::finished;
    return Close{std::nullopt, reason};
}

}  // namespace pgsluice::protocol
