// One HTTP connection, from accept to close. Server's thread only.
#pragma once

#include "stream.hpp"

#include <pgsluice/http/answer.hpp>
#include <pgsluice/http/server.hpp>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>

#include <optional>
#include <string>

namespace pgsluice::http {

class Connection {
  public:
    struct Peer {
        Stream::Protocol::socket socket;
        std::string address;      // for the log
        bool is_trusted = false;  // it came by the Unix socket
    };

    Connection(Peer peer, const ServerOptions& options, const Handlers& handlers, const Credentials& credentials);

    // Reads requests and answers them until the peer leaves, breaks a limit or a deadline passes. Whoever spawns it
    // keeps the connection alive until it has ended.
    boost::asio::awaitable<void> run();
    // Ends run() soon.
    void abort();
    // Since when we have waited for its request, for it to take what it asked for, or for its end; nullopt while we
    // make an answer.
    std::optional<TimePoint> waiting_since() const { return waiting_since_; }

  private:
    using Parser = boost::beast::http::request_parser<boost::beast::http::empty_body>;
    using Message = boost::beast::http::request<boost::beast::http::empty_body>;

    boost::asio::awaitable<error_code> shake_hands();
    boost::asio::awaitable<error_code> read(Parser& parser, Milliseconds timeout);
    boost::asio::awaitable<Answer> answer_to(const Message& message);
    boost::asio::awaitable<Answer> answer_to(const ApiCall& call);
    boost::asio::awaitable<bool> write(const Answer& answer, unsigned version, bool head, bool keep_alive);

    const ServerOptions& options_;
    const Handlers& handlers_;
    const Credentials& credentials_;
    const std::string address_;
    const bool is_trusted_;
    Stream stream_;
    boost::beast::flat_buffer buffer_;
    std::optional<TimePoint> waiting_since_;
};

}  // namespace pgsluice::http
