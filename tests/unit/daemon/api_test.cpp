// Asks workers whose threads do not run: they answer as little as ones that hang.
#include "api.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>

namespace pgsluice::daemon {
namespace {

namespace asio = boost::asio;

class ApiTest : public testing::Test {
  protected:
    void ask(asio::io_context& io, http::ApiCall call = {}) {
        call_ = std::move(call);
        asio::co_spawn(io, api_.answer(call_),
                       [this](const std::exception_ptr&, http::Answer answer) { told_ = std::move(answer); });
    }

    http::Answer asked(http::ApiCall call) {
        asio::io_context io(1);
        ask(io, std::move(call));
        io.poll();
        first_.io().restart();
        second_.io().restart();
        first_.io().poll();
        second_.io().poll();
        io.poll();
        EXPECT_TRUE(told_);
        return std::exchange(told_, std::nullopt).value_or(http::Answer());
    }

    metrics::Registry registry_{{.version = "1"}};
    Process process_{registry_, 2};
    std::shared_ptr<const Snapshot> snapshot_ =
        std::get<std::shared_ptr<const Snapshot>>(Snapshot::build(config::Config()));
    Worker first_{process_, WorkerIndex{0}, snapshot_}, second_{process_, WorkerIndex{1}, snapshot_};
    Api api_{process_, {&first_, &second_}};
    http::ApiCall call_;
    std::optional<http::Answer> told_;
};

TEST_F(ApiTest, NamesTheWorkersThatDoNotAnswerInTime) {
    asio::io_context io(1);
    ask(io);
    io.poll();
    first_.io().poll();
    const TimePoint begun = std::chrono::steady_clock::now();
    io.run();
    EXPECT_GE(std::chrono::steady_clock::now() - begun, Api::patience - Milliseconds(200));
    ASSERT_TRUE(told_);
    EXPECT_EQ(told_->status, 503u);
    EXPECT_EQ(told_->body, "worker 1 did not answer in time\n");
    second_.io().poll();  // late, and to nobody
}

TEST_F(ApiTest, AnswersOnceAllHave) {
    asio::io_context io(1);
    ask(io);
    io.poll();
    first_.io().poll();
    second_.io().poll();
    io.poll();
    ASSERT_TRUE(told_);
    EXPECT_EQ(told_->status, 200u);
    EXPECT_EQ(told_->content_type, "application/json");
    EXPECT_TRUE(told_->body.starts_with("{\"version\":\"1\"")) << told_->body;
    EXPECT_TRUE(told_->body.ends_with("}\n"));
}

// As where the daemon ends while somebody asks: first the server, then the workers.
TEST_F(ApiTest, WhoeverAsksMayGoBeforeTheWorkersAnswer) {
    {
        asio::io_context io(1);
        ask(io);
        io.poll();
        first_.io().poll();
    }
    second_.io().poll();
    EXPECT_FALSE(told_);
}

TEST_F(ApiTest, what_workers_know_of_a_query_is_added_up_until_it_is_reset) {
    const insight::Key key{0xABC, "orders", "app"};
    for (Worker* worker : {&first_, &second_}) {
        worker->queries().set_capacity(10);
        worker->queries().record(key, {.server_time = Milliseconds(250)}, "SELECT $1");
    }
    EXPECT_TRUE(
        asked({.what = http::Api::queries})
            .body.starts_with(
                R"({"max_queries":10,"known":1,"evicted":0,"order":"total_time","queries":[{"fingerprint":"0000000000000abc",)"
                R"("route":"orders","user":"app","text":"SELECT $1","text_truncated":false,"calls":2,)"));
    EXPECT_EQ(asked({.what = http::Api::reset_queries}).body, "reset\n");
    EXPECT_EQ(asked({.what = http::Api::queries, .query = "order=calls"}).body,
              "{\"max_queries\":10,\"known\":0,\"evicted\":0,\"order\":\"calls\",\"queries\":[]}\n");
}

TEST_F(ApiTest, a_parameter_that_is_wrong_is_told_without_asking_a_worker) {
    asio::io_context io(1);
    ask(io, {.what = http::Api::queries, .query = "limit=0"});
    io.poll();
    ASSERT_TRUE(told_);
    EXPECT_EQ(told_->status, 400u);
    EXPECT_EQ(told_->body, "limit is a number from 1 to 1000\n");
}

TEST_F(ApiTest, a_new_configuration_gives_the_tables_another_size) {
    config::Config config;
    config.insight_max_queries = 7;
    first_.publish(std::get<std::shared_ptr<const Snapshot>>(Snapshot::build(std::move(config))));
    EXPECT_EQ(first_.queries().capacity(), 7u);
    first_.publish(snapshot_);
    EXPECT_FALSE(first_.queries().is_on());
}

TEST_F(ApiTest, nobody_is_a_session_of_an_idle_process) {
    EXPECT_EQ(asked({.what = http::Api::sessions}).body, "{\"count\":0,\"truncated\":false,\"sessions\":[]}\n");
}

}  // namespace
}  // namespace pgsluice::daemon
