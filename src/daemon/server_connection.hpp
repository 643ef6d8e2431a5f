// Makes a connection to a PostgreSQL server and logs in: connect, TLS as the cluster asks for it, startup,
// authentication. For pooled servers and for the connections of auth.query alike.
#pragma once

#include "process.hpp"

#include <pgsluice/config/config.hpp>
#include <pgsluice/metrics/labels.hpp>
#include <pgsluice/net/dialer.hpp>
#include <pgsluice/net/link.hpp>
#include <pgsluice/protocol/server_login.hpp>

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace pgsluice::daemon {

// Its host is the folder of a Unix socket, where there is no TLS.
inline bool is_unix(const config::Endpoint& endpoint) {
    return endpoint.host.starts_with('/');
}

// How to reach one server again, in the same way: for its cancel requests.
struct ServerRoute {
    // Of a server that has been reached, its address: the name may stand for several servers, or for another one by
    // now.
    net::DialTarget endpoint;
    std::string name;  // as configured: what the server is told by SNI, and what its certificate is for
    net::SocketOptions options;
    bool encrypted = false;
    std::shared_ptr<const net::TlsClientContext> tls;
};

struct LoggedIn {
    net::LinkPtr link;  // in its setup phase, nothing unread
    protocol::ServerLogin::Done facts;
    std::shared_ptr<const ServerRoute> route;
};

struct ConnectError {
    metrics::ConnectFailure reason = metrics::ConnectFailure::network;
    std::string text{};        // for the log, not escaped
    bool has_startup = false;  // the server had been sent the startup packet before
    // What the server answered, once it had let us in; only its SQLSTATE where it had not.
    bool authenticated = false;
    std::string sqlstate{}, message{}, detail{}, hint{};
    bool lacks_credentials = false;  // for what the server asks of us at the login
};

// By what a call of the network ended with.
metrics::ConnectFailure reason_of(const error_code& code);

using Connected = std::variant<LoggedIn, ConnectError>;

struct ConnectRequest {
    config::Endpoint endpoint;
    config::ServerTlsMode tls_mode = config::ServerTlsMode::verify_full;
    config::ChannelBinding channel_binding = config::ChannelBinding::prefer;
    std::shared_ptr<const net::TlsClientContext> tls;
    net::SocketOptions options;
    std::string user, database;
    std::vector<wire::Setting> parameters;
    protocol::ServerLogin::Password password;
    TimePoint until;
};

boost::asio::awaitable<Connected> connect_to_server(net::Reactor& reactor, Process& process, ConnectRequest request);

// Opens a bare connection the way `route` says, TLS included.
boost::asio::awaitable<net::Outcome<net::LinkPtr>> open_connection(net::Reactor& reactor, ServerRoute route,
                                                                   TimePoint until);

// Runs one statement on a connection in its setup phase and waits for its ReadyForQuery. Values are bound as text
// parameters; with none, the simple protocol is used, so several statements may stand in `sql`. A transaction that it
// leaves open is a failure, and so are rows of more than 1 MiB and what has come behind the answer and is none of the
// messages that may come at any time. `reported` is brought up to date where the server reports that a setting has
// changed. An error has a code only where the network failed: what a server answers has none. `refused` is the SQLSTATE
// of an ERROR that left the connection good for another statement.
struct Row {
    std::vector<std::optional<std::string>> values;
};
using Rows = std::vector<Row>;
boost::asio::awaitable<net::Outcome<Rows>> run_statement(net::Link& link, std::string sql,
                                                         std::vector<std::string> values, TimePoint until,
                                                         std::vector<wire::Setting>* reported = nullptr,
                                                         std::string* refused = nullptr);

}  // namespace pgsluice::daemon
