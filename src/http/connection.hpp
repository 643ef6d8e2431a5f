// One HTTP connection, from accept to close. Server's thread only.
#pragma once

#include <pgsluice/http/answer.hpp>
#include <pgsluice/http/server.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>

#include <memory>
#include <optional>

namespace pgsluice::http {

class Connection {
  public:
    Connection(boost::asio::ip::tcp::socket socket, const ServerOptions& options, const Handlers& handlers);

    // Reads requests and answers them until the peer leaves, breaks a limit or a deadline passes. Whoever spawns it
    // keeps the connection alive until it has ended.
    boost::asio::awaitable<void> run();
    // Ends run() soon.
    void abort();
    // Since when we have waited for its request; nullopt while we answer.
    std::optional<TimePoint> waiting_since() const { return waiting_since_; }

  private:
    using Parser = boost::beast::http::request_parser<boost::beast::http::empty_body>;

    boost::asio::awaitable<error_code> read(Parser& parser, Milliseconds timeout);
    boost::asio::awaitable<bool> write(const Answer& answer, unsigned version, bool head, bool keep_alive);

    const ServerOptions& options_;
    const Handlers& handlers_;
    boost::beast::tcp_stream stream_;
    boost::beast::flat_buffer buffer_;
    std::optional<TimePoint> waiting_since_;
};

}  // namespace pgsluice::http
