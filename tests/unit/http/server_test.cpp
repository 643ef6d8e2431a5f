#include "support/certificates.hpp"

#include <pgsluice/http/client.hpp>
#include <pgsluice/http/server.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
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
    void start(ServerOptions options = {}, Credentials credentials = {}) {
        options.address = "127.0.0.1";
        options.unix_path = folder_ / "http.sock";
        auto started = Server::start(options,
                                     {.metrics =
                                          [this] {
                                              ++made_;
                                              std::this_thread::sleep_for(takes_);
                                              return metrics_;
                                          },
                                      .healthy =
                                          [] {
                                              return Health{true, "ok"};
                                          },
                                      .ready =
                                          [] {
                                              return Health{false, "starting"};
                                          },
                                      .api = slow_overview},
                                     std::move(credentials));
        ASSERT_TRUE(started) << started.error().text;
        server_ = std::move(*started);
    }
    Result<Reply> get(const std::string& path) {
        return http::get({.address = "127.0.0.1", .port = server_->port()}, path, milliseconds(3000));
    }
    static asio::awaitable<Answer> slow_overview(const ApiCall&) {
        asio::steady_timer timer(co_await asio::this_coro::executor, milliseconds(400));
        co_await timer.async_wait(asio::as_tuple(asio::deferred));
        co_return Answer{.content_type = "application/json", .body = "{}"};
    }
    std::string exchange(std::string_view request) {
        RawClient client(server_->port());
        client.send(request);
        return client.read_to_end();
    }

    test::TemporaryDirectory folder_;
    std::string metrics_ = "up 1\n";
    milliseconds takes_{0};  // to make them
    std::atomic<int> made_{0};
    std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, AnswersTheBlockingClient) {
    start();
    ASSERT_TRUE(get("/metrics"));
    EXPECT_EQ(get("/metrics")->body, "up 1\n");
    EXPECT_EQ(get("/healthz")->status, 200u);
    EXPECT_EQ(get("/readyz")->status, 503u);
    EXPECT_EQ(get("/nothing")->status, 404u);
    EXPECT_EQ(http::get({.address = "0.0.0.0", .port = server_->port()}, "/healthz", milliseconds(3000))->status, 200u);
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

// Each keeps its place for answer_timeout, and comes again.
TEST_F(ServerTest, ThoseWhoDoNotReadTheirAnswersKeepNobodyOut) {
    metrics_.assign(std::size_t{32} << 20, 'x');
    start({.address = {}, .max_connections = 4, .answer_timeout = milliseconds(30000)});
    std::vector<std::unique_ptr<RawClient>> lazy;
    for (int i = 0; i < 4; ++i) {
        lazy.push_back(std::make_unique<RawClient>(server_->port()));
        lazy.back()->send("GET /metrics HTTP/1.1\r\n\r\n");
        std::this_thread::sleep_for(milliseconds(50));
    }
    const auto healthy = get("/healthz");
    ASSERT_TRUE(healthy);
    EXPECT_EQ(healthy->status, 200u);
}

TEST_F(ServerTest, MoreRequestsAtATimeThanAFewEndTheConnection) {
    start();
    std::string all;
    for (int i = 0; i < 40; ++i) all += "GET /healthz HTTP/1.1\r\n\r\n";
    const std::string answers = exchange(all);
    std::size_t count = 0;
    for (auto at = answers.find("HTTP/1.1 200"); at != std::string::npos; at = answers.find("HTTP/1.1 200", at + 1))
        ++count;
    EXPECT_EQ(count, 16u);
    EXPECT_NE(answers.rfind("Connection: close"), std::string::npos);
}

TEST_F(ServerTest, RequestsOneByOneAreAnsweredAnewForAsLongAsTheyCome) {
    start();
    RawClient client(server_->port());
    for (int i = 1; i <= 40; ++i) {
        ASSERT_TRUE(client.send("GET /metrics HTTP/1.1\r\n\r\n"));
        std::string answer;
        asio::read_until(client.socket(), asio::dynamic_buffer(answer), "up 1\n");
        EXPECT_EQ(made_, i);
    }
}

TEST_F(ServerTest, AFloodOfPipelinedScrapesKeepsNoProbeWaiting) {
    metrics_.assign(std::size_t{50} << 10, 'x');
    takes_ = milliseconds(2);
    start({.address = {}, .max_connections = 16});
    std::atomic<bool> is_over{false};
    std::atomic<int> answered{0};
    const auto flood = [&] {
        std::string all;
        for (int i = 0; i < 120; ++i) all += "GET /metrics HTTP/1.1\r\n\r\n";
        while (!is_over) {
            std::vector<std::unique_ptr<RawClient>> crowd;
            for (int i = 0; i < 10; ++i) {
                crowd.push_back(std::make_unique<RawClient>(server_->port()));
                crowd.back()->send(all);
            }
            for (const auto& each : crowd) answered += each->read_to_end().empty() ? 0 : 1;
        }
    };
    std::thread one(flood), other(flood);
    std::this_thread::sleep_for(milliseconds(100));
    for (int probe = 0; probe < 20; ++probe) {
        const TimePoint begun = std::chrono::steady_clock::now();
        const auto healthy = get("/healthz");
        ASSERT_TRUE(healthy) << probe;
        EXPECT_EQ(healthy->status, 200u);
        EXPECT_LT(since(begun), milliseconds(1000));
    }
    is_over = true;
    one.join();
    other.join();
    EXPECT_GT(answered, 0);
    EXPECT_LT(made_, answered * 16);
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
    const auto elsewhere = Server::start({.address = "192.0.2.1", .port = 5}, {});
    ASSERT_FALSE(elsewhere);
    EXPECT_EQ(elsewhere.error().text, "could not listen on 192.0.2.1:5: Cannot assign requested address");
    EXPECT_FALSE(Server::start({.address = "", .unix_path = folder_ / "http.sock"}, {})) << "another server's";
}

TEST_F(ServerTest, ServesAUnixSocketBesideOrInsteadOfAnAddress) {
    start();
    EXPECT_EQ(http::get({.unix_path = folder_ / "http.sock"}, "/healthz", milliseconds(3000))->status, 200u);
    EXPECT_EQ(http::get({.unix_path = folder_ / "http.sock"}, "/api/overview", milliseconds(3000))->body, "{}");
    EXPECT_EQ(get("/api/overview")->status, 403u);
    server_.reset();
    EXPECT_FALSE(std::filesystem::exists(folder_ / "http.sock"));
    auto alone = Server::start({.address = "", .unix_path = folder_ / "http.sock"}, {});
    ASSERT_TRUE(alone) << alone.error().text;
    EXPECT_EQ((*alone)->port(), 0);
    EXPECT_EQ(http::get({.unix_path = folder_ / "http.sock"}, "/healthz", milliseconds(3000))->status, 500u);
    EXPECT_FALSE(http::get({.unix_path = std::string(200, 'x')}, "/healthz", milliseconds(3000)));
}

TEST_F(ServerTest, ATokenOpensTheApiAndMayChange) {
    start({}, {.token = Secret("0123456789abcdef")});
    const auto status_with = [&](const std::string& token) {
        return exchange("GET /api/overview HTTP/1.1\r\nauthorization: Bearer " + token +
                        "\r\nConnection: close\r\n\r\n")
            .substr(9, 3);
    };
    EXPECT_EQ(get("/api/overview")->status, 401u);
    EXPECT_EQ(status_with("0123456789abcdef"), "200");
    server_->set_credentials({.token = Secret("another-secret-token")});
    EXPECT_EQ(get("/healthz")->status, 200u);  // has the thread come round
    EXPECT_EQ(status_with("0123456789abcdef"), "401");
    EXPECT_EQ(status_with("another-secret-token"), "200");
}

TEST_F(ServerTest, ARefusalSaysWhatIsWanted) {
    start({}, {.token = Secret("0123456789abcdef")});
    const std::string refused = exchange("HEAD /api/overview HTTP/1.1\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(refused.substr(0, 12), "HTTP/1.1 401");
    EXPECT_NE(refused.find("WWW-Authenticate: Bearer realm=\"pgsluice\"\r\n"), std::string::npos) << refused;
}

TEST_F(ServerTest, AnOverviewThatTakesItsTimeKeepsNobodyWaiting) {
    start();
    std::thread asking([&] {
        EXPECT_EQ(http::get({.unix_path = folder_ / "http.sock"}, "/api/overview", milliseconds(3000))->status, 200u);
    });
    std::this_thread::sleep_for(milliseconds(100));
    const TimePoint begun = std::chrono::steady_clock::now();
    EXPECT_EQ(get("/healthz")->status, 200u);
    EXPECT_LT(since(begun), milliseconds(250));
    asking.join();
}

TEST_F(ServerTest, StopsWhileAnOverviewIsBeingMade) {
    start();
    std::thread asking(
        [&] { EXPECT_FALSE(http::get({.unix_path = folder_ / "http.sock"}, "/api/overview", milliseconds(3000))); });
    std::this_thread::sleep_for(milliseconds(100));
    server_.reset();
    asking.join();
}

class TlsServerTest : public ServerTest {
  protected:
    std::shared_ptr<const net::TlsServerContext> context() {
        test::make_certificate({.common_name = "here"}).write(folder_ / "here.crt", folder_ / "here.key");
        net::TlsServerContext::Files files;
        files.certificate = folder_ / "here.crt";
        files.private_key = folder_ / "here.key";
        return *net::TlsServerContext::load(files);
    }
    Result<Reply> get_by_tls(const std::string& path) {
        return http::get({.address = "127.0.0.1", .port = server_->port(), .by_tls = true}, path, milliseconds(3000));
    }
};

TEST_F(TlsServerTest, WhatComesOverTcpIsEncryptedAndTheUnixSocketIsNot) {
    start({}, {.tls = context()});
    ASSERT_TRUE(get_by_tls("/metrics"));
    EXPECT_EQ(get_by_tls("/metrics")->body, "up 1\n");
    EXPECT_EQ(get_by_tls("/api/overview")->status, 403u);
    EXPECT_FALSE(get("/metrics"));
    EXPECT_EQ(http::get({.unix_path = folder_ / "http.sock"}, "/metrics", milliseconds(3000))->status, 200u);
}

TEST_F(TlsServerTest, LongAnswersComeWhole) {
    metrics_.assign(std::size_t{4} << 20, 'x');
    start({}, {.tls = context()});
    ASSERT_TRUE(get_by_tls("/metrics"));
    EXPECT_EQ(get_by_tls("/metrics")->body, metrics_);
}

TEST_F(TlsServerTest, ANewContextIsForNewConnections) {
    start();
    EXPECT_TRUE(get("/healthz"));
    EXPECT_FALSE(get_by_tls("/healthz"));
    server_->set_credentials({.tls = context()});
    EXPECT_FALSE(get("/healthz"));
    EXPECT_EQ(get_by_tls("/healthz")->status, 200u);
}

TEST_F(TlsServerTest, AHandshakeThatDoesNotEndEndsAtTheDeadlineOfTheRequest) {
    start({.address = {}, .max_connections = 4, .request_timeout = milliseconds(300)}, {.tls = context()});
    RawClient silent(server_->port());
    const TimePoint begun = std::chrono::steady_clock::now();
    silent.send("\x16\x03\x01");
    silent.read_to_end();
    EXPECT_GE(since(begun), milliseconds(250));
    EXPECT_LT(since(begun), milliseconds(1500));
    std::vector<std::unique_ptr<RawClient>> crowd;
    for (int i = 0; i < 20; ++i) crowd.push_back(std::make_unique<RawClient>(server_->port()));
    EXPECT_EQ(get_by_tls("/healthz")->status, 200u);
}

TEST(Client, ReportsRefusalAndSilence) {
    asio::io_context context;
    tcp::acceptor silent(context, {asio::ip::address_v4::loopback(), 0});
    const auto port = silent.local_endpoint().port();
    const TimePoint begun = std::chrono::steady_clock::now();
    const auto late = get({.address = "127.0.0.1", .port = port}, "/healthz", milliseconds(200));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error(), boost::system::errc::timed_out);
    EXPECT_LT(since(begun), milliseconds(2000));
    silent.close();
    const auto refused = get({.address = "127.0.0.1", .port = port}, "/healthz", milliseconds(200));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), boost::system::errc::connection_refused);
    EXPECT_FALSE(get({.address = "not an address", .port = port}, "/healthz", milliseconds(200)));
}

}  // namespace
}  // namespace pgsluice::http
