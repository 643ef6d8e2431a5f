#include "connection.hpp"

#include "api_gate.hpp"

#include <pgsluice/base/log.hpp>

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/string_body.hpp>

#include <exception>
#include <utility>

namespace pgsluice::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;

// Of requests that come before the one ahead of them is answered, in a row. Whoever has more comes again, behind
// others.
constexpr unsigned most_pipelined = 16;

// How long the peer may take to end its side of a connection that we end.
constexpr Milliseconds farewell{1000};

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

template <class Text>
std::string_view view_of(const Text& text) {
    return {text.data(), text.size()};
}

}  // namespace

Connection::Connection(Peer peer, const ServerOptions& options, const Handlers& handlers,
                       const Credentials& credentials)
    : options_(options),
      handlers_(handlers),
      credentials_(credentials),
      address_(std::move(peer.address)),
      is_trusted_(peer.is_trusted),
      stream_(std::move(peer.socket)),
      buffer_(options.request_bytes),
      waiting_since_(std::chrono::steady_clock::now()) {}

void Connection::abort() {
    stream_.close();
}

asio::awaitable<void> Connection::run() {
    stream_.expires_after(options_.request_timeout);
    const error_code stranger = co_await shake_hands();
    if (stranger) co_return;
    unsigned pipelined = 0;
    for (Milliseconds timeout = options_.request_timeout;; timeout = options_.idle_timeout) {
        Parser parser;
        parser.header_limit(static_cast<std::uint32_t>(options_.request_bytes));
        const error_code failure = co_await read(parser, timeout);
        if (failure) {
            const std::optional<Answer> refused = refusal(failure);
            if (refused) co_await write(*refused, 11, false, false);
            co_return;
        }
        const Message& message = parser.get();
        const bool head = message.method() == beast::http::verb::head;
        const Answer answered = co_await answer_to(message);
        pipelined = buffer_.size() == 0 ? 0 : pipelined + 1;
        const bool keep_alive = message.keep_alive() && answered.status != 405 && pipelined < most_pipelined;
        const bool written = co_await write(answered, message.version(), head, keep_alive);
        if (!written || !keep_alive) co_return;
    }
}

// A peer that asks in clear where TLS is wanted is closed without a word: it would not understand an alert.
asio::awaitable<error_code> Connection::shake_hands() {
    if (is_trusted_ || credentials_.tls == nullptr) co_return error_code();
    co_return co_await stream_.handshake(credentials_.tls->native(), asio::ssl::stream_base::server);
}

// The deadline is absolute: a peer that sends a byte now and then gains nothing.
asio::awaitable<error_code> Connection::read(Parser& parser, Milliseconds timeout) {
    waiting_since_ = std::chrono::steady_clock::now();
    stream_.expires_after(timeout);
    const error_code error = co_await stream_.read(buffer_, parser);
    waiting_since_.reset();
    co_return error;
}

asio::awaitable<Answer> Connection::answer_to(const Message& message) {
    const Request request{.method = view_of(message.method_string()),
                          .target = view_of(message.target()),
                          .authorization = view_of(message[beast::http::field::authorization]),
                          .caller = address_,
                          .is_trusted = is_trusted_};
    std::variant<Answer, ApiCall> reply = answer(request, handlers_, credentials_.token);
    if (const auto* call = std::get_if<ApiCall>(&reply)) co_return co_await answer_to(*call);
    Answer& answered = std::get<Answer>(reply);
    if (has_shown_a_wrong_token(request, answered)) {
        log::write_audited(log::Level::warning, "api_refused", "a request for /api/ came with a wrong token",
                           {{"address", address_}});
    }
    co_return std::move(answered);
}

asio::awaitable<Answer> Connection::answer_to(const ApiCall& call) {
    try {
        co_return co_await handlers_.api(call);
    } catch (const std::exception&) {
        co_return Answer{.status = 500, .body = "internal error\n"};
    }
}

asio::awaitable<bool> Connection::write(const Answer& answer, unsigned version, bool head, bool keep_alive) {
    beast::http::response<beast::http::string_body> response;
    response.version(version);
    response.result(answer.status);
    response.set(beast::http::field::content_type, answer.content_type);
    response.set(beast::http::field::cache_control, "no-store");
    if (!answer.allow.empty()) response.set(beast::http::field::allow, answer.allow);
    if (!answer.authenticate.empty()) response.set(beast::http::field::www_authenticate, answer.authenticate);
    response.content_length(answer.body.size());
    response.keep_alive(keep_alive);
    if (!head) response.body() = answer.body;
    waiting_since_ = std::chrono::steady_clock::now();
    stream_.expires_after(options_.answer_timeout);
    const error_code error = co_await stream_.write(response);
    waiting_since_.reset();
    if (error) co_return false;
    if (!keep_alive) {
        waiting_since_ = std::chrono::steady_clock::now();
        stream_.expires_after(farewell);
        co_await stream_.shutdown();
    }
    co_return true;
}

}  // namespace pgsluice::http
