#include "server_connection.hpp"

#include "derive.hpp"

#include <pgsluice/wire/startup_packet.hpp>

#include <boost/asio/error.hpp>

#include <array>

namespace pgsluice::daemon {

using config::ServerTlsMode;
using metrics::ConnectFailure;
using protocol::ServerLogin;

namespace {

ConnectFailure reason_of_login(ServerLogin::Reason reason) {
    switch (reason) {
        case ServerLogin::Reason::refused: return ConnectFailure::rejected;
        case ServerLogin::Reason::password: return ConnectFailure::authentication;
        case ServerLogin::Reason::imposter: return ConnectFailure::authentication;
        case ServerLogin::Reason::violation: return ConnectFailure::network;
    }
    return ConnectFailure::network;
}

ConnectFailure reason_of_tls(const error_code& code) {
    const bool is_of_tls = !code || code == boost::asio::error::connection_aborted;
    return is_of_tls ? ConnectFailure::tls : reason_of(code);
}

bool uses_tls_first(ServerTlsMode mode) {
    return mode != ServerTlsMode::disable && mode != ServerTlsMode::allow;
}

// As libpq does where the server has no rule for such a connection: allow goes on with TLS, prefer without. No other
// mode leaves TLS, and a login that has to be bound to it needs one of those.
bool may_try_the_other_way(const ConnectRequest& request, bool encrypted, const ConnectError& error) {
    if (error.reason != ConnectFailure::rejected || error.authenticated || error.sqlstate != "28000") return false;
    if (encrypted) return request.tls_mode == ServerTlsMode::prefer;
    return request.tls_mode == ServerTlsMode::allow && !is_unix(request.endpoint);
}

// Asks for TLS and shakes hands. Without an error the link is encrypted, or plain where the server refused and
// `may_stay_plain`. An answer that will not do has no code.
boost::asio::awaitable<net::Outcome<void>> negotiate_tls(net::Link& link,
                                                         std::shared_ptr<const net::TlsClientContext> tls,
                                                         std::string host, bool may_stay_plain, TimePoint until) {
    Bytes request;
    wire::write_ssl_request(request);
    if (const error_code error = co_await link.write_all(request, until)) {
        co_return net::Error{error, "SSLRequest: " + error.message()};
    }
    std::array<char, 1> answer{};
    const std::span<char> into(answer);
    if (const error_code error = co_await link.read_exactly(into, until)) {
        co_return net::Error{error, "SSLRequest: " + error.message()};
    }
    const auto said = protocol::ssl_answer(answer[0]);
    if (said == protocol::SslAnswer::unexpected) {
        co_return net::Error{{}, "the server does not speak TLS negotiation"};
    }
    if (said == protocol::SslAnswer::refused) {
        if (may_stay_plain) co_return net::Outcome<void>();
        co_return net::Error{{}, "the server refused TLS, which clusters.*.tls.mode asks for"};
    }
    // Bytes behind the 'S' came in clear: whoever wrote them, it was not the server that the handshake will prove.
    if (link.unread_bytes() > 0) {
        co_return net::Error{{}, "the server sent unencrypted data after it had agreed to TLS"};
    }
    co_return co_await link.connect_tls(std::move(tls), std::move(host), until);
}

boost::asio::awaitable<std::variant<ServerLogin::Done, ConnectError>> log_in(net::Link& link, net::Reactor& reactor,
                                                                             Process& process, ServerLogin::Setup setup,
                                                                             TimePoint until) {
    ServerLogin login(std::move(setup));
    Bytes out, in;
    std::array<char, 4096> chunk{};
    const std::span<char> into(chunk);
    ServerLogin::Action action = login.begin(out);
    while (true) {
        if (!out.empty()) {
            if (const error_code error = co_await link.write_all(out, until)) {
                co_return ConnectError{reason_of(error), error.message()};
            }
            out.clear();
        }
        if (auto* derivation = std::get_if<ServerLogin::Derive>(&action)) {
            const auto keys = co_await derive(process, reactor.io(), std::move(*derivation), until);
            if (!keys) co_return ConnectError{ConnectFailure::timeout, "login: keys were not derived in time"};
            action = login.resume(*keys, out);
            continue;
        }
        if (auto* failed = std::get_if<ServerLogin::Failed>(&action)) {
            co_return ConnectError{reason_of_login(failed->reason),
                                   failed->text,
                                   true,
                                   failed->authenticated,
                                   failed->sqlstate,
                                   failed->message,
                                   failed->detail,
                                   failed->hint,
                                   failed->reason == ServerLogin::Reason::password};
        }
        if (auto* done = std::get_if<ServerLogin::Done>(&action)) {
            if (!in.empty()) co_return ConnectError{ConnectFailure::network, "the server sent more than its login"};
            co_return std::move(*done);
        }
        // NeedMore: first whatever has been read already, then the network.
        ServerLogin::Step step = login.resume(in, out);
        in.erase(0, step.consumed);
        action = std::move(step.action);
        if (step.consumed > 0 || !std::holds_alternative<ServerLogin::NeedMore>(action) || !out.empty()) continue;
        const Result<std::size_t> got = co_await link.read_some(into, until);
        if (!got) co_return ConnectError{reason_of(got.error()), "login: " + got.error().message()};
        in.append(chunk.data(), *got);
    }
}

}  // namespace

boost::asio::awaitable<net::Outcome<net::LinkPtr>> open_connection(net::Reactor& reactor, ServerRoute route,
                                                                   TimePoint until) {
    net::Outcome<net::LinkPtr> dialed = co_await net::dial(reactor, route.endpoint, route.options, until);
    if (!dialed || !route.encrypted) co_return dialed;
    auto encrypted = co_await negotiate_tls(**dialed, route.tls, route.name, false, until);
    if (!encrypted) co_return encrypted.error();
    co_return dialed;
}

ConnectFailure reason_of(const error_code& code) {
    if (code == boost::system::errc::connection_refused) return ConnectFailure::refused;
    if (code == boost::system::errc::timed_out) return ConnectFailure::timeout;
    return ConnectFailure::network;
}

boost::asio::awaitable<Connected> connect_to_server(net::Reactor& reactor, Process& process, ConnectRequest request) {
    const bool may_use_tls = !is_unix(request.endpoint) && request.tls_mode != ServerTlsMode::disable;
    if (may_use_tls && request.tls == nullptr) {
        // A reload has taken the cluster away, or its TLS.
        co_return ConnectError{ConnectFailure::tls, request.endpoint.label() + ": TLS is not configured any more"};
    }
    bool try_tls = may_use_tls && uses_tls_first(request.tls_mode);
    for (int attempt = 0;; ++attempt) {
        net::DialTarget endpoint{request.endpoint.host, request.endpoint.port};
        net::Outcome<net::LinkPtr> dialed = co_await net::dial(reactor, endpoint, request.options, request.until);
        if (!dialed) co_return ConnectError{reason_of(dialed.error().code), dialed.error().text};
        net::LinkPtr link = std::move(*dialed);
        if (try_tls) {
            const bool may_stay_plain =
                request.tls_mode == ServerTlsMode::prefer || request.tls_mode == ServerTlsMode::allow;
            auto negotiated =
                co_await negotiate_tls(*link, request.tls, request.endpoint.host, may_stay_plain, request.until);
            if (!negotiated) {
                const net::Error& error = negotiated.error();
                co_return ConnectError{reason_of_tls(error.code), request.endpoint.label() + ": " + error.text};
            }
        }
        const bool encrypted = link->is_tls();
        ServerLogin::Setup setup;
        setup.user = request.user;
        setup.database = request.database;
        setup.parameters = request.parameters;
        setup.password = request.password;
        setup.nonce = random_bytes(auth::scram_nonce_bytes);
        if (request.channel_binding != config::ChannelBinding::disable) {
            setup.channel_binding = link->tls_facts().server_end_point;
        }
        // A Unix socket leads to this machine: there is no TLS to bind to, and nobody in between.
        setup.requires_channel_binding = may_use_tls && request.channel_binding == config::ChannelBinding::require;
        auto result = co_await log_in(*link, reactor, process, std::move(setup), request.until);
        if (auto* error = std::get_if<ConnectError>(&result)) {
            if (attempt == 0 && may_try_the_other_way(request, encrypted, *error)) {
                try_tls = !encrypted;
                continue;
            }
            error->text = request.endpoint.label() + ": " + error->text;
            error->has_startup = true;
            co_return std::move(*error);
        }
        if (!is_unix(request.endpoint)) endpoint.host = link->remote().to_string();
        auto route = std::make_shared<const ServerRoute>(
            ServerRoute{endpoint, request.endpoint.host, request.options, encrypted, request.tls});
        co_return LoggedIn{std::move(link), std::get<ServerLogin::Done>(std::move(result)), std::move(route)};
    }
}

}  // namespace pgsluice::daemon
