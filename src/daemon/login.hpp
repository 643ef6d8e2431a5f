// One client's login while it is under way: what is known of it, and its bytes. The parts of the login are coroutines
// that share it; each tells what stopped it.
#pragma once

#include "worker.hpp"

#include <pgsluice/protocol/client_startup.hpp>

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>

namespace pgsluice::daemon {

// What is being found out about one client; lives in the coroutine's frame.
struct Login {
    Worker& worker;
    const std::shared_ptr<const Snapshot> snapshot;
    const std::size_t listener;
    TimePoint until;
    net::LinkPtr link;
    WorkerPlace worker_place;
    Bytes in{}, out{};  // unread, and unsent
    protocol::ClientIdentity identity{};
    net::TlsFacts tls{};
    // Whom the connection is for: where it came from, or whom a load balancer named.
    Address address{};
    AddressPlace place{};

    bool is_by_console_socket() const { return listener == console_socket; }
    const config::Listener& listener_config() const {
        static const config::Listener plain;
        return is_by_console_socket() ? plain : snapshot->config.listeners[listener];
    }
};

struct Failure {
    metrics::LoginFailure reason;
    std::string text;                       // for the log
    std::optional<wire::SqlError> error{};  // still to be sent
};
using Checked = std::optional<Failure>;

Failure network_failure(const error_code& error);
// Sends what is unsent.
boost::asio::awaitable<Checked> send(Login& login);
// Reads at least one byte more.
boost::asio::awaitable<Checked> receive(Login& login);

// How the packets ahead of authentication ended.
struct StartupDone {
    bool is_login = false;  // otherwise there is nothing more to do for this connection
    Checked failure{};
};

// Everything up to the StartupMessage: a load balancer's header, TLS, cancel requests.
boost::asio::awaitable<StartupDone> read_startup(Login& login);

}  // namespace pgsluice::daemon
