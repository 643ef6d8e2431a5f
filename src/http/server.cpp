#include "connection.hpp"

#include <pgsluice/http/server.hpp>
#include <pgsluice/net/listener.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace pgsluice::http {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// How long accepting rests after an error such as EMFILE, which would come again at once.
constexpr Milliseconds accept_rest{200};

std::string address_of(const tcp::socket& socket) {
    error_code gone;
    const tcp::endpoint peer = socket.remote_endpoint(gone);
    return gone ? std::string() : peer.address().to_string();
}

std::string address_of(const asio::local::stream_protocol::socket&) {
    return "unix";
}

}  // namespace

// The thread and all that lives on it.
class Server::Loop {
  public:
    Loop(const ServerOptions& options, Handlers handlers, Credentials credentials)
        : options_(options), handlers_(std::move(handlers)), credentials_(std::move(credentials)) {
        if (handlers_.metrics) {
            handlers_.metrics = [this, make = std::move(handlers_.metrics)] { return shared_exposition(make); };
        }
    }

    ~Loop() { stop(); }

    std::optional<net::Error> start() {
        if (auto error = open_tcp()) return error;
        if (auto error = open_unix()) return error;
        if (tcp_acceptor_.is_open()) spawn(accept(tcp_acceptor_, false));
        if (unix_acceptor_.is_open()) spawn(accept(unix_acceptor_, true));
        thread_ = std::thread([this] { run(); });
        return std::nullopt;
    }

    void stop() {
        context_.stop();
        if (thread_.joinable()) thread_.join();
    }

    void set_credentials(Credentials credentials) {
        asio::post(context_, [this, credentials = std::move(credentials)] { credentials_ = credentials; });
    }

    std::uint16_t port() const { return port_; }

  private:
    using UnixProtocol = asio::local::stream_protocol;

    std::optional<net::Error> open_tcp() {
        if (options_.address.empty()) return std::nullopt;
        error_code error;
        const auto address = asio::ip::make_address(options_.address, error);
        const tcp::endpoint endpoint(address, options_.port);
        if (!error) tcp_acceptor_.open(endpoint.protocol(), error);
        if (!error) tcp_acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
        if (!error) tcp_acceptor_.bind(endpoint, error);
        if (!error) tcp_acceptor_.listen(asio::socket_base::max_listen_connections, error);
        if (!error) port_ = tcp_acceptor_.local_endpoint(error).port();
        if (!error) return std::nullopt;
        return net::Error{error, "could not listen on " + options_.address + ':' + std::to_string(options_.port) +
                                     ": " + error.message()};
    }

    std::optional<net::Error> open_unix() {
        if (options_.unix_path.empty()) return std::nullopt;
        auto address = net::UnixAddress::listen_at(options_.unix_path, static_cast<mode_t>(options_.unix_mode));
        if (!address) return address.error();
        error_code error;
        unix_acceptor_.assign(UnixProtocol(), address->open().release(), error);
        if (error) return net::Error{error, options_.unix_path + ": " + error.message()};
        unix_address_.emplace(std::move(*address));
        return std::nullopt;
    }

    // A coroutine that runs out of memory ends; its connection closes and the others go on.
    void spawn(asio::awaitable<void> coroutine) {
        asio::co_spawn(context_, std::move(coroutine), [](const std::exception_ptr&) {});
    }

    void run() {
        while (!context_.stopped()) {
            try {
                context_.run();
            } catch (const std::exception&) {
                continue;
            }
        }
    }

    template <class Acceptor>
    asio::awaitable<void> accept(Acceptor& acceptor, bool is_trusted) {
        asio::steady_timer rest(context_);
        for (;;) {
            auto [error, socket] = co_await acceptor.async_accept(as_tuple_deferred);
            if (error == asio::error::operation_aborted) co_return;
            if (error) {
                rest.expires_after(accept_rest);
                co_await rest.async_wait(as_tuple_deferred);
                continue;
            }
            if (connections_.size() >= options_.max_connections && !make_room()) continue;
            Connection::Peer peer{.socket = Stream::Protocol::socket(context_), .address = address_of(socket)};
            peer.is_trusted = is_trusted;
            peer.socket = std::move(socket);
            spawn(serve(std::make_unique<Connection>(std::move(peer), options_, handlers_, credentials_)));
        }
    }

    asio::awaitable<void> serve(std::unique_ptr<Connection> connection) {
        const Listed listed(connections_, connection.get());
        co_await connection->run();
    }

    // Making it costs far more than asking for it. What is posted runs behind the requests that have been read by now
    // and ahead of all others, so that none is answered with what was before it came.
    std::string shared_exposition(const std::function<std::string()>& make) {
        if (!exposition_) {
            std::string made = make();
            asio::post(context_, [this] { exposition_.reset(); });
            exposition_ = std::move(made);
        }
        return *exposition_;
    }

    // A connection whose answer is being made is never sacrificed. One that does not take its answer is: otherwise a
    // few that ask for much and read nothing would keep everybody out.
    bool make_room() {
        Connection* oldest = nullptr;
        for (Connection* connection : connections_) {
            if (!connection->waiting_since()) continue;
            if (oldest == nullptr || *connection->waiting_since() < *oldest->waiting_since()) oldest = connection;
        }
        if (oldest == nullptr) return false;
        std::erase(connections_, oldest);
        oldest->abort();
        return true;
    }

    class Listed {
      public:
        Listed(std::vector<Connection*>& list, Connection* connection) : list_(list), connection_(connection) {
            list_.push_back(connection);
        }
        Listed(const Listed&) = delete;
        Listed& operator=(const Listed&) = delete;
        ~Listed() { std::erase(list_, connection_); }

      private:
        std::vector<Connection*>& list_;
        Connection* connection_;
    };

    const ServerOptions options_;
    Handlers handlers_;
    std::optional<std::string> exposition_;
    Credentials credentials_;  // the thread's, once it runs
    std::uint16_t port_ = 0;
    std::vector<Connection*> connections_;  // outlives the coroutines that the context destroys
    asio::io_context context_{1};
    tcp::acceptor tcp_acceptor_{context_};
    std::optional<net::UnixAddress> unix_address_;  // unlinks its file when the server goes
    UnixProtocol::acceptor unix_acceptor_{context_};
    std::thread thread_;
};

Server::Server(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}

Server::~Server() = default;

net::Outcome<std::unique_ptr<Server>> Server::start(const ServerOptions& options, Handlers handlers,
                                                    Credentials credentials) {
    auto loop = std::make_unique<Loop>(options, std::move(handlers), std::move(credentials));
    if (const auto error = loop->start()) return *error;
    return std::unique_ptr<Server>(new Server(std::move(loop)));
}

void Server::set_credentials(Credentials credentials) {
    loop_->set_credentials(std::move(credentials));
}

void Server::stop() {
    loop_->stop();
}

std::uint16_t Server::port() const {
    return loop_->port();
}

}  // namespace pgsluice::http
