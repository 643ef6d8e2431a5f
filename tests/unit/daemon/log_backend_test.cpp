#include "log_backend.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

namespace pgsluice::daemon {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

// A FIFO that takes no byte more, since nobody reads it.
class FullPipe {
  public:
    explicit FullPipe(const std::string& path) {
        EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
        number_ = ::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
        const std::string much(4096, '-');
        while (::write(number_, much.data(), much.size()) > 0) {
        }
    }
    FullPipe(const FullPipe&) = delete;
    FullPipe& operator=(const FullPipe&) = delete;
    ~FullPipe() { ::close(number_); }

  private:
    int number_;
};

class LogBackendTest : public ::testing::Test {
  protected:
    LogBackendTest() {
        std::string pattern = ::testing::TempDir() + "pgsluice_log_XXXXXX";
        folder_ = ::mkdtemp(pattern.data());
    }
    ~LogBackendTest() override { fs::remove_all(folder_); }

    std::string path(const std::string& name = "log") const { return folder_ / name; }
    config::Log settings(const std::string& name = "log") const { return {.file = path(name)}; }
    std::unique_ptr<LogBackend> open(LogBackend::Limits limits = {}) {
        auto opened = LogBackend::open(settings(), metrics_, limits);
        EXPECT_TRUE(opened) << opened.error().message();
        return std::move(*opened);
    }
    void write(LogBackend& backend, std::string_view event, std::string_view message = "m") {
        backend.write({log::Level::info, event, message, {}});
    }
    std::vector<std::string> lines(const std::string& name = "log") const {
        std::ifstream file(path(name));
        std::vector<std::string> all;
        for (std::string line; std::getline(file, line);) all.push_back(line);
        return all;
    }
    std::size_t count(const std::string& part) const {
        const auto all = lines();
        return static_cast<std::size_t>(std::count_if(
            all.begin(), all.end(), [&](const std::string& line) { return line.find(part) != std::string::npos; }));
    }
    // The log's thread is asynchronous.
    template <class Condition>
    static bool soon(Condition condition) {
        for (int i = 0; i < 500 && !condition(); ++i) std::this_thread::sleep_for(milliseconds(10));
        return condition();
    }

    fs::path folder_;
    metrics::LogMetrics metrics_;
};

TEST_F(LogBackendTest, WritesLinesInOrderAndAllOfThemBeforeItEnds) {
    auto backend = open({.lines_per_second = 100'000});
    for (int i = 0; i < 1000; ++i) write(*backend, "started", "number " + std::to_string(i));
    backend.reset();
    const auto written = lines();
    ASSERT_EQ(written.size(), 1000u);
    for (int i = 0; i < 1000; ++i)
        EXPECT_NE(written[static_cast<std::size_t>(i)].find("started number " + std::to_string(i)), std::string::npos);
    EXPECT_EQ(metrics_.dropped.value(), 0u);
}

TEST_F(LogBackendTest, HonoursTheLevel) {
    config::Log log = settings();
    log.level = config::LogLevel::warning;
    auto backend = LogBackend::open(log, metrics_);
    ASSERT_TRUE(backend);
    EXPECT_FALSE((*backend)->enabled(log::Level::info));
    EXPECT_TRUE((*backend)->enabled(log::Level::warning));
    EXPECT_TRUE((*backend)->enabled(log::Level::error));
}

TEST_F(LogBackendTest, AFileThatCannotBeOpenedIsAnError) {
    EXPECT_FALSE(LogBackend::open(settings("no/such/folder"), metrics_));
}

TEST_F(LogBackendTest, APipeThatNobodyReadsBlocksNobodyAndIsCounted) {
    ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
    auto backend = open({.lines_per_second = 1'000'000, .queue_lines = 200, .exit = milliseconds(300)});
    constexpr int total = 20'000;
    const TimePoint begun = std::chrono::steady_clock::now();
    std::chrono::nanoseconds longest{0};
    for (int i = 0; i < total; ++i) {
        const TimePoint before = std::chrono::steady_clock::now();
        write(*backend, "started", std::string(200, 'x'));
        longest = std::max(longest, std::chrono::nanoseconds(std::chrono::steady_clock::now() - before));
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
    EXPECT_LT(longest, milliseconds(500));
    // The pipe holds 64 KiB and the queue 200 lines; all else is dropped.
    EXPECT_GT(metrics_.dropped.value(), total - 1000u);
    EXPECT_LT(metrics_.dropped.value(), static_cast<std::uint64_t>(total));

    const TimePoint ending = std::chrono::steady_clock::now();
    backend.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - ending, std::chrono::seconds(2));
}

TEST_F(LogBackendTest, AReaderThatComesBackHearsWhatWasLost) {
    ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
    auto backend = open({.lines_per_second = 1'000'000, .queue_lines = 50});
    for (int i = 0; i < 5000; ++i) write(*backend, "started", std::string(200, 'x'));
    ASSERT_TRUE(soon([&] { return metrics_.dropped.value() > 1000; }));

    std::string read;
    std::thread reader([&] {
        std::ifstream fifo(path());
        std::stringstream all;
        all << fifo.rdbuf();
        read = all.str();
    });
    std::this_thread::sleep_for(milliseconds(200));
    write(*backend, "shutdown_finished");
    backend.reset();
    reader.join();
    EXPECT_NE(read.find("log_dropped the log did not take lines in time count="), std::string::npos);
    EXPECT_NE(read.find("shutdown_finished"), std::string::npos);
    std::istringstream text(read);
    for (std::string line; std::getline(text, line);) EXPECT_EQ(line.compare(0, 2, "20"), 0) << line;
}

TEST_F(LogBackendTest, AFullDiskIsCountedAndDoesNotSpin) {
    auto opened = LogBackend::open({.file = "/dev/full"}, metrics_);
    ASSERT_TRUE(opened);
    for (int i = 0; i < 10; ++i) write(**opened, "started");
    EXPECT_TRUE(soon([&] { return metrics_.dropped.value() == 10; }));
}

TEST_F(LogBackendTest, AReaderThatLeavesDoesNotEndTheProcess) {
    ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
    const int reader = ::open(path().c_str(), O_RDONLY | O_NONBLOCK);
    auto backend = open();
    ::close(reader);
    write(*backend, "started");
    EXPECT_TRUE(soon([&] { return metrics_.dropped.value() == 1; }));
}

TEST_F(LogBackendTest, LimitsTheLinesOfOneEventAndSaysWhatItLeftOut) {
    auto backend = open({.lines_per_second = 5});
    for (int i = 0; i < 100; ++i) write(*backend, "client_login_failed");
    write(*backend, "client_connected");
    EXPECT_GE(metrics_.suppressed.value(), 90u);  // a second may turn in between
    const auto suppressed = metrics_.suppressed.value();
    std::this_thread::sleep_for(milliseconds(1100));
    write(*backend, "client_connected");
    ASSERT_TRUE(soon([&] { return count("client_connected") == 2; }));
    EXPECT_EQ(count("client_login_failed m"), 100u - suppressed);
    EXPECT_GE(count("log_suppressed too many lines of one event suppressed_event=client_login_failed count="), 1u);
}

TEST_F(LogBackendTest, ReportsABurstThatIsNotOverAtTheEnd) {
    auto backend = open({.lines_per_second = 5});
    for (int i = 0; i < 8; ++i) write(*backend, "client_login_failed");
    const auto suppressed = metrics_.suppressed.value();
    backend.reset();
    EXPECT_EQ(count("log_suppressed"), suppressed == 0 ? 0u : 1u);
}

TEST_F(LogBackendTest, OpensItsFileAgainAfterRotation) {
    auto backend = open();
    write(*backend, "started", "before");
    ASSERT_TRUE(soon([&] { return lines().size() == 1; }));
    fs::rename(path(), path("log.1"));
    ASSERT_FALSE(backend->apply(settings()));
    write(*backend, "started", "after");
    ASSERT_TRUE(soon([&] { return lines().size() == 1; }));
    EXPECT_EQ(count("after"), 1u);
    EXPECT_EQ(lines("log.1").size(), 1u);
}

TEST_F(LogBackendTest, AReloadChangesLevelFormatAndFile) {
    auto backend = open();
    config::Log log = settings("other");
    log.level = config::LogLevel::debug;
    log.format = config::LogFormat::json;
    ASSERT_FALSE(backend->apply(log));
    EXPECT_TRUE(backend->enabled(log::Level::debug));
    write(*backend, "started");
    ASSERT_TRUE(soon([&] { return lines("other").size() == 1; }));
    EXPECT_EQ(lines("other")[0].substr(0, 9), "{\"time\":\"");
    EXPECT_TRUE(backend->apply(settings("no/such/folder")));
    write(*backend, "started");
    EXPECT_TRUE(soon([&] { return lines("other").size() == 2; })) << "the old file stays in use";
}

TEST_F(LogBackendTest, AReloadFreesALogThatIsStuck) {
    const FullPipe nobody_reads(path());
    auto backend = open({.lines_per_second = 1'000'000, .queue_lines = 50});
    for (int i = 0; i < 100; ++i) write(*backend, "started");
    ASSERT_FALSE(backend->apply(settings("other")));
    EXPECT_TRUE(soon([&] { return lines("other").size() >= 50; }));
}

TEST_F(LogBackendTest, TakesLinesFromManyThreads) {
    auto backend = open({.lines_per_second = 1'000'000});
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 500; ++i) write(*backend, "started");
        });
    }
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(backend->apply(settings()));
    for (auto& thread : threads) thread.join();
    backend.reset();
    EXPECT_EQ(lines().size() - count("log_dropped") + metrics_.dropped.value(), 2000u);
}

TEST(LogDescriptor, KnowsTheJournalByItsInode) {
    auto error_stream = LogDescriptor::open("");
    ASSERT_TRUE(error_stream);
    struct stat status {};
    ASSERT_EQ(::fstat(STDERR_FILENO, &status), 0);
    const std::string itself = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
    ::setenv("JOURNAL_STREAM", itself.c_str(), 1);
    EXPECT_TRUE(error_stream->is_journal());
    ::setenv("JOURNAL_STREAM", "1:2", 1);
    EXPECT_FALSE(error_stream->is_journal());
    ::setenv("JOURNAL_STREAM", "nonsense", 1);
    EXPECT_FALSE(error_stream->is_journal());
    ::unsetenv("JOURNAL_STREAM");
    EXPECT_FALSE(error_stream->is_journal());
}

}  // namespace
}  // namespace pgsluice::daemon
