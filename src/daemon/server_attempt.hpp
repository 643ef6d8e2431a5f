// One server of a cluster is tried, for a pool or for auth.query: what has to be known for that, and what everybody in
// the process takes the server for behind it, up or down.
#pragma once

#include "server_connection.hpp"
#include "snapshot.hpp"

#include <pgsluice/pool/upstream.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <optional>

namespace pgsluice::daemon {

class Worker;

// As the cluster says. Who logs in, with what, and how long it may take, is the caller's to add.
ConnectRequest request_to(const Snapshot& snapshot, const config::Cluster& cluster, const config::Endpoint& endpoint,
                          const net::SocketOptions& options);

struct ServerAttempt {
    ConnectRequest request;
    std::shared_ptr<pool::Upstream> upstream;
    Milliseconds connect_retry;
    // What there is to do behind the login before the server is of any use. It is not up before: one that hangs there
    // would count as up whenever somebody else tries it.
    std::function<boost::asio::awaitable<std::optional<ConnectError>>(LoggedIn&)> prepare{};
    // Whether a failure that looks as if the server were down says nothing of it.
    std::function<bool(const ConnectError&)> is_excused{};
};

boost::asio::awaitable<Connected> try_server(Worker& worker, ServerAttempt attempt);

}  // namespace pgsluice::daemon
