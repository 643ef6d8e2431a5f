// Asks workers whose threads do not run: they answer as little as ones that hang.
#include "overview.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <optional>

namespace pgsluice::daemon {
namespace {

namespace asio = boost::asio;

class OverviewTest : public testing::Test {
  protected:
    void ask(asio::io_context& io) {
        asio::co_spawn(io, overview_.answer(),
                       [this](const std::exception_ptr&, http::Answer answer) { told_ = std::move(answer); });
    }

    metrics::Registry registry_{{.version = "1"}};
    Process process_{registry_, 2};
    std::shared_ptr<const Snapshot> snapshot_ =
        std::get<std::shared_ptr<const Snapshot>>(Snapshot::build(config::Config()));
    Worker first_{process_, WorkerIndex{0}, snapshot_}, second_{process_, WorkerIndex{1}, snapshot_};
    Overview overview_{process_, {&first_, &second_}};
    std::optional<http::Answer> told_;
};

TEST_F(OverviewTest, NamesTheWorkersThatDoNotAnswerInTime) {
    asio::io_context io(1);
    ask(io);
    io.poll();
    first_.io().poll();
    const TimePoint begun = std::chrono::steady_clock::now();
    io.run();
    EXPECT_GE(std::chrono::steady_clock::now() - begun, Overview::patience - Milliseconds(200));
    ASSERT_TRUE(told_);
    EXPECT_EQ(told_->status, 503u);
    EXPECT_EQ(told_->body, "worker 1 did not answer in time\n");
    second_.io().poll();  // late, and to nobody
}

TEST_F(OverviewTest, AnswersOnceAllHave) {
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
TEST_F(OverviewTest, WhoeverAsksMayGoBeforeTheWorkersAnswer) {
    {
        asio::io_context io(1);
        ask(io);
        io.poll();
        first_.io().poll();
    }
    second_.io().poll();
    EXPECT_FALSE(told_);
}

}  // namespace
}  // namespace pgsluice::daemon
