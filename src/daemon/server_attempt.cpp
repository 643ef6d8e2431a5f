#include "server_attempt.hpp"

#include "worker.hpp"

namespace pgsluice::daemon {
namespace {

// A server that answers is not down, whatever it says and whatever it asks for; one that starts up or shuts down is.
bool means_down(const ConnectError& error) {
    using metrics::ConnectFailure;
    return error.reason == ConnectFailure::resolve || error.reason == ConnectFailure::network ||
           error.reason == ConnectFailure::refused || error.reason == ConnectFailure::timeout ||
           error.sqlstate == "57P03";
}

}  // namespace

ConnectRequest request_to(const Snapshot& snapshot, const config::Cluster& cluster, const config::Endpoint& endpoint,
                          const net::SocketOptions& options) {
    ConnectRequest request;
    request.endpoint = endpoint;
    request.tls_mode = cluster.tls.mode;
    request.channel_binding = cluster.tls.channel_binding;
    request.tls = snapshot.tls_of(cluster.name);
    request.options = options;
    return request;
}

boost::asio::awaitable<Connected> try_server(Worker& worker, ServerAttempt attempt) {
    Connected tried = co_await connect_to_server(worker.reactor(), worker.process(), std::move(attempt.request));
    if (auto* in = std::get_if<LoggedIn>(&tried); in != nullptr && attempt.prepare) {
        std::optional<ConnectError> unfit = co_await attempt.prepare(*in);
        if (unfit) tried = std::move(*unfit);
    }
    const auto* error = std::get_if<ConnectError>(&tried);
    if (error == nullptr) {
        attempt.upstream->mark_up();
    } else if (means_down(*error) && !(attempt.is_excused && attempt.is_excused(*error))) {
        attempt.upstream->mark_down(worker.read_clock() + attempt.connect_retry);
    }
    co_return tried;
}

}  // namespace pgsluice::daemon
