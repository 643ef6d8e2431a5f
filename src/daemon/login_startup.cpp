#include "cancel_request.hpp"
#include "login.hpp"

#include <pgsluice/wire/proxy_header.hpp>

#include <algorithm>
#include <array>

namespace pgsluice::daemon {

using metrics::LoginFailure;
using protocol::ClientStartup;

Failure network_failure(const error_code& error) {
    if (error == boost::system::errc::timed_out) return {LoginFailure::timeout, "login timeout"};
    return {LoginFailure::client_left, "the client went away: " + error.message()};
}

boost::asio::awaitable<Checked> send(Login& login) {
    if (login.out.empty()) co_return std::nullopt;
    const error_code error = co_await login.link->write_all(login.out, login.until);
    login.out.clear();
    if (error) co_return network_failure(error);
    co_return std::nullopt;
}

boost::asio::awaitable<Checked> receive(Login& login) {
    std::array<char, 2048> chunk{};
    const std::span<char> into(chunk);
    const Result<std::size_t> got = co_await login.link->read_some(into, login.until);
    if (!got) co_return network_failure(got.error());
    login.in.append(chunk.data(), *got);
    co_return std::nullopt;
}

namespace {

bool contains(const std::vector<Network>& networks, const Address& address) {
    return std::any_of(networks.begin(), networks.end(), [&](const Network& each) { return each.contains(address); });
}

// Connections of the listener's load balancers begin with a header; others are read as they are, and one there is no
// startup packet.
boost::asio::awaitable<std::optional<StartupDone>> read_proxy_header(Login& login) {
    if (!contains(login.listener_config().proxy_protocol.from, login.address)) co_return std::nullopt;
    Bytes header;
    std::array<char, 256> chunk{};
    while (true) {
        const std::span<char> into(chunk);
        const Result<std::size_t> there = co_await login.link->peek_some(into, login.until);
        if (!there && header.empty() && there.error() == boost::asio::error::eof)
            co_return StartupDone{};  // a port check
        if (!there) co_return StartupDone{false, network_failure(there.error())};
        const wire::ProxyHeader read = wire::read_proxy_header(header + Bytes(chunk.data(), *there));
        if (read.state == wire::ProxyHeader::State::malformed) {
            co_return StartupDone{false, Failure{LoginFailure::protocol_violation,
                                                 "no header of the PROXY protocol from a load balancer"}};
        }
        const bool is_complete = read.state == wire::ProxyHeader::State::complete;
        const std::span<char> own = into.first(is_complete ? read.size - header.size() : *there);
        if (const error_code error = co_await login.link->read_exactly(own, login.until)) {
            co_return StartupDone{false, network_failure(error)};
        }
        header.append(own.data(), own.size());
        if (!is_complete) continue;
        if (read.source) {
            login.address = *read.source;
        } else if (read.is_relayed && login.address.family == Address::Family::unix_socket) {
            login.address.family = Address::Family::unknown;  // the socket is the balancer's, and so is its owner
        }
        co_return std::nullopt;
    }
}

boost::asio::awaitable<Checked> accept_tls(Login& login) {
    auto context = login.snapshot->listener_tls[login.listener];
    net::Outcome<void> shaken = co_await login.link->accept_tls(std::move(context), login.until);
    if (!shaken) co_return Failure{LoginFailure::tls, shaken.error().text};
    login.tls = login.link->tls_facts();
    co_return std::nullopt;
}

struct DirectTls {
    bool is_done = false;
    Checked failure{};
};

// Shakes hands where the client begins with TLS at once.
boost::asio::awaitable<DirectTls> accept_direct_tls(Login& login) {
    std::array<char, 1> first{};
    const std::span<char> into(first);
    const Result<std::size_t> got = co_await login.link->peek_some(into, login.until);
    // An end or an error will be found again by whoever reads.
    if (!got || !ClientStartup::begins_with_tls(first[0])) co_return DirectTls{};
    if (auto failure = co_await accept_tls(login)) co_return DirectTls{false, std::move(failure)};
    if (login.tls.alpn == net::alpn_protocol) co_return DirectTls{true};
    co_return DirectTls{false, Failure{LoginFailure::tls, "direct TLS without the protocol \"postgresql\" (ALPN)"}};
}

boost::asio::awaitable<StartupDone> read_packets(Login& login) {
    const config::ListenerTlsMode tls = login.listener_config().tls.mode;
    ClientStartup startup(tls);
    if (tls != config::ListenerTlsMode::disable) {
        DirectTls direct = co_await accept_direct_tls(login);
        if (direct.failure) co_return StartupDone{false, std::move(direct.failure)};
        if (direct.is_done) startup.begin_encrypted();
    }
    while (true) {
        ClientStartup::Step step = startup.resume(login.in, login.out);
        login.in.erase(0, step.consumed);
        if (auto failure = co_await send(login)) co_return StartupDone{false, std::move(failure)};
        if (std::holds_alternative<ClientStartup::StartTls>(step.action)) {
            if (auto failure = co_await accept_tls(login)) co_return StartupDone{false, std::move(failure)};
        } else if (auto* done = std::get_if<ClientStartup::Authenticate>(&step.action)) {
            login.identity = std::move(done->identity);
            co_return StartupDone{true, std::nullopt};
        } else if (const auto* request = std::get_if<ClientStartup::Cancel>(&step.action)) {
            co_await take_cancel_request(login.worker, login.address, *request, login.until);
            co_return StartupDone{};
        } else if (auto* close = std::get_if<ClientStartup::Close>(&step.action)) {
            const bool unsupported = close->error && close->error->code() == "0A000";
            const LoginFailure reason = close->lacks_tls ? LoginFailure::tls
                                        : unsupported    ? LoginFailure::unsupported
                                                         : LoginFailure::protocol_violation;
            co_return StartupDone{false, Failure{reason, close->reason}};
        } else if (step.consumed == 0) {
            const bool nothing_yet = login.in.empty();
            if (auto failure = co_await receive(login)) {
                // A port check: connected, said nothing, went away.
                if (nothing_yet && failure->reason == LoginFailure::client_left) co_return StartupDone{};
                co_return StartupDone{false, std::move(failure)};
            }
        }
    }
}

}  // namespace

boost::asio::awaitable<StartupDone> read_startup(Login& login) {
    if (auto ended = co_await read_proxy_header(login)) co_return std::move(*ended);
    const std::uint32_t limit = login.snapshot->config.limits.connections_per_address;
    login.place = login.worker.process().clients.enter_from(login.address, limit);
    if (!login.place.may_be_heard()) {
        co_return StartupDone{
            false, Failure{LoginFailure::too_many_clients, "limits.connections_per_address is far exceeded"}};
    }
    co_return co_await read_packets(login);
}

}  // namespace pgsluice::daemon
