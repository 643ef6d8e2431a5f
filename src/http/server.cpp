#include "connection.hpp"

#include <pgsluice/http/server.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

namespace pgsluice::http {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// How long accepting rests after an error such as EMFILE, which would come again at once.
constexpr Milliseconds accept_rest{200};

}  // namespace

// The thread and all that lives on it.
class Server::Loop {
  public:
    Loop(const ServerOptions& options, Handlers handlers) : options_(options), handlers_(std::move(handlers)) {}

    ~Loop() {
        context_.stop();
        if (thread_.joinable()) thread_.join();
    }

    error_code start() {
        error_code error;
        const auto address = asio::ip::make_address(options_.address, error);
        if (error) return error;
        const tcp::endpoint endpoint(address, options_.port);
        acceptor_.open(endpoint.protocol(), error);
        if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
        if (!error) acceptor_.bind(endpoint, error);
        if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
        if (!error) port_ = acceptor_.local_endpoint(error).port();
        if (error) return error;
        spawn(accept());
        thread_ = std::thread([this] { run(); });
        return {};
    }

    std::uint16_t port() const { return port_; }

  private:
    // A coroutine that runs out of memory ends; its connection closes and the others go on.
    void spawn(asio::awaitable<void> coroutine) {
        asio::co_spawn(context_, std::move(coroutine), [](std::exception_ptr) {});
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

    asio::awaitable<void> accept() {
        asio::steady_timer rest(context_);
        for (;;) {
            auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::deferred));
            if (error == asio::error::operation_aborted) co_return;
            if (error) {
                rest.expires_after(accept_rest);
                co_await rest.async_wait(asio::as_tuple(asio::deferred));
                continue;
            }
            if (connections_.size() >= options_.max_connections && !make_room()) continue;
            spawn(serve(std::make_unique<Connection>(std::move(socket), options_, handlers_)));
        }
    }

    asio::awaitable<void> serve(std::unique_ptr<Connection> connection) {
        const Listed listed(connections_, connection.get());
        co_await connection->run();
    }

    // A connection that is being answered is never sacrificed.
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
    const Handlers handlers_;
    std::uint16_t port_ = 0;
    std::vector<Connection*> connections_;  // outlives the coroutines that the context destroys
    asio::io_context context_{1};
    tcp::acceptor acceptor_{context_};
    std::thread thread_;
};

Server::Server(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}

Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options, Handlers handlers) {
    auto loop = std::make_unique<Loop>(options, std::move(handlers));
    if (const error_code error = loop->start()) return error;
    return std::unique_ptr<Server>(new Server(std::move(loop)));
}

std::uint16_t Server::port() const {
    return loop_->port();
}

}  // namespace pgsluice::http
