#include "stream.hpp"

#include <pgsluice/http/client.hpp>
#include <pgsluice/net/tls_context.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <exception>
#include <memory>

namespace pgsluice::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;

constexpr std::uint64_t body_bytes = 64 << 20;
constexpr std::size_t longest_unix_path = 107;

struct Question {
    Stream::Protocol::endpoint endpoint;
    std::string host, path;
    std::shared_ptr<const net::TlsClientContext> tls;  // nullptr: plain
};

asio::awaitable<error_code> ask(Stream& stream, const Question& question, Reply& reply) {
    const error_code unconnected = co_await stream.connect(question.endpoint);
    if (unconnected) co_return unconnected;
    if (question.tls != nullptr) {
        const error_code refused = co_await stream.handshake(question.tls->native(), asio::ssl::stream_base::client);
        if (refused) co_return refused;
    }
    beast::http::request<beast::http::empty_body> request(beast::http::verb::get, question.path, 11);
    request.set(beast::http::field::host, question.host);
    request.keep_alive(false);
    const error_code unsent = co_await stream.write(request);
    if (unsent) co_return unsent;
    beast::flat_buffer buffer;
    beast::http::response_parser<beast::http::string_body> parser;
    parser.body_limit(body_bytes);
    const error_code unread = co_await stream.read(buffer, parser);
    if (unread) co_return unread;
    reply.status = parser.get().result_int();
    reply.body = std::move(parser.get().body());
    co_return error_code();
}

error_code prepare(const Endpoint& endpoint, Question& question) {
    if (!endpoint.unix_path.empty()) {
        if (endpoint.unix_path.size() > longest_unix_path)
            return make_error_code(boost::system::errc::filename_too_long);
        question.endpoint = asio::local::stream_protocol::endpoint(endpoint.unix_path);
        question.host = "localhost";
        return {};
    }
    error_code error;
    auto ip = asio::ip::make_address(endpoint.address, error);
    if (error) return error;
    if (ip.is_unspecified())
        ip = ip.is_v4() ? asio::ip::address(asio::ip::address_v4::loopback()) : asio::ip::address_v6::loopback();
    question.host = ip.to_string();
    question.endpoint = asio::ip::tcp::endpoint(ip, endpoint.port);
    if (!endpoint.by_tls) return {};
    net::TlsClientContext::Files files;
    files.verify = net::TlsClientContext::Verify::require;
    const auto tls = net::TlsClientContext::load(files);
    if (!tls) return make_error_code(boost::system::errc::not_enough_memory);
    question.tls = *tls;
    return {};
}

}  // namespace

Result<Reply> get(const Endpoint& endpoint, const std::string& path, Milliseconds timeout) {
    Question question;
    question.path = path;
    error_code error = prepare(endpoint, question);
    if (error) return error;
    asio::io_context context(1);
    Stream stream{Stream::Protocol::socket(context)};
    stream.expires_after(timeout);
    Reply reply;
    error = make_error_code(boost::system::errc::not_enough_memory);  // stands where the coroutine ends by an exception
    asio::co_spawn(context, ask(stream, question, reply),
                   [&](const std::exception_ptr&, error_code outcome) { error = outcome; });
    context.run();
    if (error == beast::error::timeout) error = make_error_code(boost::system::errc::timed_out);
    if (error) return error;
    return reply;
}

}  // namespace pgsluice::http
