// A connection of HTTP, by TCP or a Unix socket, with or without TLS: a deadline for each operation, and no template
// for who uses it.
#pragma once

#include <pgsluice/base/result.hpp>
#include <pgsluice/base/time.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <optional>

struct ssl_ctx_st;

namespace pgsluice::http {

// A constant, not a temporary inside the co_await expression.
inline constexpr auto as_tuple_deferred = boost::asio::as_tuple(boost::asio::deferred);

class Stream {
  public:
    using Protocol = boost::asio::generic::stream_protocol;
    using Plain = boost::beast::basic_stream<Protocol>;

    explicit Stream(Protocol::socket socket) : plain_(std::move(socket)) {}

    // What is begun afterwards ends by then, or with beast::error::timeout.
    void expires_after(Milliseconds timeout) { plain_.expires_after(timeout); }
    void close() { plain_.close(); }

    boost::asio::awaitable<error_code> connect(Protocol::endpoint endpoint);
    // From here on everything is encrypted. The connection keeps what it needs of the context.
    boost::asio::awaitable<error_code> handshake(ssl_ctx_st* context,
                                                 boost::asio::ssl::stream_base::handshake_type role);
    // Says that nothing more will be sent; over TLS it waits for the peer to say so too.
    boost::asio::awaitable<void> shutdown();

    template <class Buffer, class Parser>
    boost::asio::awaitable<error_code> read(Buffer& buffer, Parser& parser) {
        if (tls_) {
            auto [error, size] = co_await boost::beast::http::async_read(*tls_, buffer, parser, as_tuple_deferred);
            co_return error;
        }
        auto [error, size] = co_await boost::beast::http::async_read(plain_, buffer, parser, as_tuple_deferred);
        co_return error;
    }
    template <class Message>
    boost::asio::awaitable<error_code> write(Message& message) {
        if (tls_) {
            auto [error, size] = co_await boost::beast::http::async_write(*tls_, message, as_tuple_deferred);
            co_return error;
        }
        auto [error, size] = co_await boost::beast::http::async_write(plain_, message, as_tuple_deferred);
        co_return error;
    }

  private:
    Plain plain_;
    std::optional<boost::asio::ssl::stream<Plain&>> tls_;
};

}  // namespace pgsluice::http
