#include "connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <utility>

namespace pgsluice::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;

constexpr auto as_tuple_deferred = asio::as_tuple(asio::deferred);

// What a request that cannot be read is answered with; nullopt where the peer is gone or too late to be told.
std::optional<Answer> refusal(const error_code& failure) {
    using beast::http::error;
    if (failure == error::end_of_stream || failure == error::partial_message) return std::nullopt;
    if (failure == error::header_limit || failure == error::buffer_overflow)
        return Answer{.status = 431, .body = "request too large\n"};
    if (failure == error::unexpected_body || failure == error::body_limit)
        return Answer{.status = 413, .body = "requests have no body here\n"};
    if (failure.category() == make_error_code(error::bad_method).category())
        return Answer{.status = 400, .body = "bad request\n"};
    return std::nullopt;
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, const ServerOptions& options, const Handlers& handlers)
    : options_(options),
      handlers_(handlers),
      stream_(std::move(socket)),
      buffer_(options.request_bytes),
      waiting_since_(std::chrono::steady_clock::now()) {}

void Connection::abort() {
    stream_.close();
}

asio::awaitable<void> Connection::run() {
    for (Milliseconds timeout = options_.request_timeout;; timeout = options_.idle_timeout) {
        Parser parser;
        parser.header_limit(static_cast<std::uint32_t>(options_.request_bytes));
        const error_code failure = co_await read(parser, timeout);
        if (failure) {
            const std::optional<Answer> refused = refusal(failure);
            if (refused) co_await write(*refused, 11, false, false);
            co_return;
        }
        const auto& request = parser.get();
        const bool head = request.method() == beast::http::verb::head;
        const Answer answered = answer({request.method_string().data(), request.method_string().size()},
                                       {request.target().data(), request.target().size()}, handlers_);
        const bool keep_alive = request.keep_alive() && answered.status != 405;
        const bool written = co_await write(answered, request.version(), head, keep_alive);
        if (!written || !keep_alive) co_return;
    }
}

// The deadline is absolute: a peer that sends a byte now and then gains nothing.
asio::awaitable<error_code> Connection::read(Parser& parser, Milliseconds timeout) {
    waiting_since_ = std::chrono::steady_clock::now();
    stream_.expires_after(timeout);
    auto [error, size] = co_await beast::http::async_read(stream_, buffer_, parser, as_tuple_deferred);
    waiting_since_.reset();
    co_return error;
}

asio::awaitable<bool> Connection::write(const Answer& answer, unsigned version, bool head, bool keep_alive) {
    beast::http::response<beast::http::string_body> response;
    response.version(version);
    response.result(answer.status);
    response.set(beast::http::field::content_type, answer.content_type);
    response.set(beast::http::field::cache_control, "no-store");
    if (!answer.allow.empty()) response.set(beast::http::field::allow, answer.allow);
    response.content_length(answer.body.size());
    response.keep_alive(keep_alive);
    if (!head) response.body() = answer.body;
    stream_.expires_after(options_.answer_timeout);
    auto [error, size] = co_await beast::http::async_write(stream_, response, as_tuple_deferred);
    if (error) co_return false;
    if (!keep_alive) {
        error_code ignored;
        stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    }
    co_return true;
}

}  // namespace pgsluice::http
