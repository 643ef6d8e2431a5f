#include "stream.hpp"

#include <openssl/ssl.h>

namespace pgsluice::http {

namespace asio = boost::asio;

asio::awaitable<error_code> Stream::connect(Protocol::endpoint endpoint) {
    const auto [error] = co_await plain_.async_connect(endpoint, as_tuple_deferred);
    co_return error;
}

asio::awaitable<error_code> Stream::handshake(ssl_ctx_st* context, asio::ssl::stream_base::handshake_type role) {
    SSL* const connection = SSL_new(context);
    if (connection == nullptr) co_return make_error_code(boost::system::errc::not_enough_memory);
    tls_.emplace(plain_, connection);  // and frees it
    const auto [error] = co_await tls_->async_handshake(role, as_tuple_deferred);
    co_return error;
}

asio::awaitable<void> Stream::shutdown() {
    if (tls_) co_await tls_->async_shutdown(as_tuple_deferred);
    error_code ignored;
    plain_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
}

}  // namespace pgsluice::http
