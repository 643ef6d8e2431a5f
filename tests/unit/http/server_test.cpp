#include <pgsluice/http/client.hpp>
#include <pgsluice/http/server.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace pgsluice::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::milliseconds;

std::chrono::milliseconds since(TimePoint start) {
    return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
}

// A client that says what it likes, byte by byte if it must.
class RawClient {
  public:
    explicit RawClient(std::uint16_t port) { socket_.connect({asio::ip::address_v4::loopback(), port}); }

    bool send(std::string_view text) {
        error_code error;
        asio::write(socket_, asio::buffer(text), error);
        return !error;
    }
    std::string read_to_end() {
        std::string all;
        error_code error;
        asio::read(socket_, asio::dynamic_buffer(all), error);
        return all;
    }
    tcp::socket& socket() { return socket_; }

  private:
    asio::io_context context_;
    tcp::socket socket_{context_};
};

class ServerTest : public ::testing::Test {
  protected:
    void start(ServerOptions options = {}) {
        options.address = "127.0.0.1";
        auto started = Server::start(options, {.metrics = [this] { return metrics_; },
                                               .healthy =
                                                   [] {
                                                       return Health{true, "ok"};
                                                   },
                                               .ready =
                                                   [] {
                                                       return Health{false, "starting"};
                                                   }});
        ASSERT_TRUE(started) << started.error().message();
        server_ = std::move(*started);
    }
    Result<Reply> get(const std::string& path) {
        return http::get("127.0.0.1", server_->port(), path, milliseconds(3000));
    }
    std::string exchange(std::string_view request) {
        RawClient client(server_->port());
        client.send(request);
        return client.read_to_end();
    }

    std::string metrics_ = "up 1\n";
    std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, AnswersTheBlockingClient) {
    start();
    ASSERT_TRUE(get("/metrics"));
    EXPECT_EQ(get("/metrics")->body, "up 1\n");
    EXPECT_EQ(get("/healthz")->status, 200u);
    EXPECT_EQ(get("/readyz")->status, 503u);
    EXPECT_EQ(get("/nothing")->status, 404u);
    EXPECT_EQ(http::get("0.0.0.0", server_->port(), "/healthz", milliseconds(3000))->status, 200u);
}

TEST_F(ServerTest, KeepsAConnectionForSeveralRequestsAlsoPipelined) {
    start();
    const std::string answers = exchange(
        "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
        "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(answers.find("ok\n") != std::string::npos, true) << answers;
    const auto head = answers.find("HTTP/1.1 200", 10), last = answers.rfind("HTTP/1.1 200");
    ASSERT_NE(head, last);
    const std::string head_answer = answers.substr(head, last - head);
    EXPECT_NE(head_answer.find("Content-Length: 5"), std::string::npos) << head_answer;
    EXPECT_EQ(head_answer.find("up 1"), std::string::npos) << head_answer;
    EXPECT_EQ(answers.substr(answers.size() - 5), "up 1\n");
}

TEST_F(ServerTest, RefusesWhatItCannotRead) {
    start();
    EXPECT_EQ(exchange("nonsense\r\n\r\n").substr(0, 12), "HTTP/1.1 400");
    EXPECT_EQ(exchange(std::string("GET /\0 HTTP/1.1\r\n\r\n", 19)).substr(0, 12), "HTTP/1.1 400");
    EXPECT_EQ(exchange("GET / HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n").substr(0, 12), "HTTP/1.1 431");
    EXPECT_EQ(exchange("POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n").substr(0, 12), "HTTP/1.1 405");
    EXPECT_EQ(exchange("GET /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello").substr(0, 12), "HTTP/1.1 413");
    EXPECT_EQ(exchange("GET /metrics HTTP/1.0\r\n\r\n").substr(9, 3), "200");
    EXPECT_EQ(get("/healthz")->status, 200u);
}

// A byte now and then does not move the deadline.
TEST_F(ServerTest, ASlowRequestEndsAtItsDeadline) {
    start({.address = {}, .request_timeout = milliseconds(300)});
    RawClient slow(server_->port());
    const TimePoint begun = std::chrono::steady_clock::now();
    std::thread drip([&] {
        for (int i = 0; i < 50 && slow.send("G"); ++i) std::this_thread::sleep_for(milliseconds(40));
    });
    EXPECT_EQ(slow.read_to_end(), "");
    EXPECT_GE(since(begun), milliseconds(250));
    EXPECT_LT(since(begun), milliseconds(1500));
    drip.join();
}

TEST_F(ServerTest, SlowConnectionsDoNotKeepOthersOut) {
    start({.address = {}, .max_connections = 8, .request_timeout = milliseconds(30000)});
    std::vector<std::unique_ptr<RawClient>> slow;
    for (int i = 0; i < 40; ++i) {
        slow.push_back(std::make_unique<RawClient>(server_->port()));
        slow.back()->send("GET /metr");
    }
    const TimePoint begun = std::chrono::steady_clock::now();
    EXPECT_EQ(get("/healthz")->status, 200u);
    EXPECT_LT(since(begun), milliseconds(1000));
    EXPECT_EQ(slow.front()->read_to_end(), "") << "the oldest made room";
}

TEST_F(ServerTest, AClientThatDoesNotReadItsAnswerIsCutOff) {
    metrics_.assign(std::size_t{32} << 20, 'x');
    start({.address = {}, .answer_timeout = milliseconds(300)});
    RawClient lazy(server_->port());
    lazy.send("GET /metrics HTTP/1.1\r\n\r\n");
    std::this_thread::sleep_for(milliseconds(900));
    EXPECT_LT(lazy.read_to_end().size(), metrics_.size());
    EXPECT_EQ(get("/healthz")->status, 200u);
}

TEST_F(ServerTest, StopsWithConnectionsOpen) {
    start();
    RawClient idle(server_->port()), half(server_->port());
    half.send("GET /");
    EXPECT_EQ(get("/healthz")->status, 200u);
    server_.reset();
    EXPECT_EQ(idle.read_to_end(), "");
}

TEST_F(ServerTest, ReportsAnAddressThatItCannotBind) {
    start();
    EXPECT_FALSE(Server::start({.address = "127.0.0.1", .port = server_->port()}, {}));
    EXPECT_FALSE(Server::start({.address = "localhost"}, {}));
    EXPECT_FALSE(Server::start({.address = "192.0.2.1"}, {}));
}

TEST(Client, ReportsRefusalAndSilence) {
    asio::io_context context;
    tcp::acceptor silent(context, {asio::ip::address_v4::loopback(), 0});
    const auto port = silent.local_endpoint().port();
    const TimePoint begun = std::chrono::steady_clock::now();
    const auto late = get("127.0.0.1", port, "/healthz", milliseconds(200));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error(), boost::system::errc::timed_out);
    EXPECT_LT(since(begun), milliseconds(2000));
    silent.close();
    const auto refused = get("127.0.0.1", port, "/healthz", milliseconds(200));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), boost::system::errc::connection_refused);
    EXPECT_FALSE(get("not an address", port, "/healthz", milliseconds(200)));
}

}  // namespace
}  // namespace pgsluice::http
