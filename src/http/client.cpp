#include <pgsluice/http/client.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <exception>

namespace pgsluice::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;

constexpr auto as_tuple_deferred = asio::as_tuple(asio::deferred);
constexpr std::uint64_t body_bytes = 64 << 20;

asio::awaitable<error_code> ask(beast::tcp_stream& stream, tcp::endpoint endpoint, std::string path, Reply& reply) {
    const auto [unconnected] = co_await stream.async_connect(endpoint, as_tuple_deferred);
    if (unconnected) co_return unconnected;
    beast::http::request<beast::http::empty_body> request(beast::http::verb::get, path, 11);
    request.set(beast::http::field::host, endpoint.address().to_string());
    request.keep_alive(false);
    const auto [unsent, sent] = co_await beast::http::async_write(stream, request, as_tuple_deferred);
    if (unsent) co_return unsent;
    beast::flat_buffer buffer;
    beast::http::response_parser<beast::http::string_body> parser;
    parser.body_limit(body_bytes);
    const auto [unread, size] = co_await beast::http::async_read(stream, buffer, parser, as_tuple_deferred);
    if (unread) co_return unread;
    reply.status = parser.get().result_int();
    reply.body = std::move(parser.get().body());
    co_return error_code();
}

}  // namespace

Result<Reply> get(const std::string& address, std::uint16_t port, const std::string& path, Milliseconds timeout) {
    error_code error;
    auto ip = asio::ip::make_address(address, error);
    if (error) return error;
    if (ip.is_unspecified())
        ip = ip.is_v4() ? asio::ip::address(asio::ip::address_v4::loopback()) : asio::ip::address_v6::loopback();

    asio::io_context context(1);
    beast::tcp_stream stream(context);
    stream.expires_after(timeout);
    Reply reply;
    error = make_error_code(boost::system::errc::not_enough_memory);  // stands where the coroutine ends by an exception
    asio::co_spawn(context, ask(stream, tcp::endpoint(ip, port), path, reply),
                   [&](std::exception_ptr, error_code outcome) { error = outcome; });
    context.run();
    if (error == beast::error::timeout) error = make_error_code(boost::system::errc::timed_out);
    if (error) return error;
    return reply;
}

}  // namespace pgsluice::http
