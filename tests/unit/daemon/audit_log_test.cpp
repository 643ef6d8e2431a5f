#include "audit_log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace pgsluice::daemon {
namespace {

namespace fs = std::filesystem;
using config::AuditOverflow;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Keeps what the log is told.
class Told final : public log::Backend {
  public:
    Told() { log::install(this); }
    ~Told() override { log::install(nullptr); }
    bool enabled(log::Level) const override { return true; }
    void write(const log::Record& record) override {
        lines.push_back(std::string(record.event) + ' ' +
                        std::to_string(std::get<std::int64_t>(record.fields.begin()->value)));
    }
    std::vector<std::string> lines;
};

class AuditLogTest : public ::testing::Test {
  protected:
    AuditLogTest() {
        std::string pattern = ::testing::TempDir() + "pgsluice_audit_XXXXXX";
        folder_ = ::mkdtemp(pattern.data());
    }
    ~AuditLogTest() override { fs::remove_all(folder_); }

    std::string path(const std::string& name = "audit") const { return folder_ / name; }
    // A FIFO that nobody reads; this end keeps it open.
    void make_pipe() {
        ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
        reader_ = ::open(path().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        ASSERT_GE(reader_, 0);
    }
    std::string content(const std::string& name = "audit") const {
        std::ifstream file(path(name));
        return (std::stringstream() << file.rdbuf()).str();
    }
    static void tell(const std::string& message) {
        log::audit(log::Level::info, "client_connected", message, {{"user", "ann"}});
    }
    static std::size_t lines_of(const std::string& text) {
        return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    }
    template <class Condition>
    static bool soon(Condition condition) {
        for (int i = 0; i < 500 && !condition(); ++i) std::this_thread::sleep_for(milliseconds(10));
        return condition();
    }

    fs::path folder_;
    int reader_ = -1;
    metrics::AuditMetrics metrics_;
};

TEST_F(AuditLogTest, without_a_file_nothing_is_audited) {
    AuditLog audit(metrics_);
    EXPECT_FALSE(audit.apply({}));
    EXPECT_FALSE(log::is_audited());
    tell("nobody hears this");
}

TEST_F(AuditLogTest, lines_are_json_whole_and_in_order) {
    const std::string long_text(20000, 'x');
    {
        AuditLog audit(metrics_);
        ASSERT_FALSE(audit.apply({.file = path()}));
        EXPECT_TRUE(log::is_audited());
        for (int i = 0; i < 2000; ++i) tell("number " + std::to_string(i) + '.');
        log::audit(log::Level::info, "statement", "m", {{"sql", long_text}});
    }
    EXPECT_FALSE(log::is_audited());
    const std::string all = content();
    EXPECT_EQ(lines_of(all), 2001U) << "no limit of lines a second";
    EXPECT_LT(all.find("\"number 7.\""), all.find("\"number 8.\""));
    EXPECT_NE(all.find("\"event\":\"client_connected\""), std::string::npos);
    EXPECT_NE(all.find("\"user\":\"ann\""), std::string::npos);
    EXPECT_NE(all.find(long_text + '"'), std::string::npos);
    EXPECT_EQ(metrics_.dropped.value(), 0U);
}

TEST_F(AuditLogTest, a_text_beyond_64_kib_is_cut_behind_a_whole_character_and_marked) {
    const std::string whole = std::string(65535, 'x') + "\u00e9";
    {
        AuditLog audit(metrics_);
        ASSERT_FALSE(audit.apply({.file = path()}));
        log::audit(log::Level::info, "statement", "m", {{"sql", std::string(65536, 'x')}});
        log::audit(log::Level::info, "statement", "m", {{"sql", whole + "y"}});
    }
    const std::string all = content();
    EXPECT_NE(all.find('"' + std::string(65536, 'x') + '"'), std::string::npos);
    EXPECT_NE(all.find('"' + whole + "...\""), std::string::npos);
}

TEST_F(AuditLogTest, a_file_that_cannot_be_opened_leaves_the_old_one_in_use) {
    AuditLog audit(metrics_);
    EXPECT_TRUE(audit.apply({.file = path("no/such/folder")}));
    EXPECT_FALSE(log::is_audited());
    ASSERT_FALSE(audit.apply({.file = path()}));
    EXPECT_TRUE(audit.apply({.file = path("no/such/folder")}));
    tell("still");
    EXPECT_TRUE(soon([&] { return lines_of(content()) == 1; }));
}

TEST_F(AuditLogTest, a_rotated_file_is_opened_again) {
    AuditLog audit(metrics_);
    ASSERT_FALSE(audit.apply({.file = path()}));
    tell("one");
    ASSERT_TRUE(soon([&] { return lines_of(content()) == 1; }));
    fs::rename(path(), path("old"));
    ASSERT_FALSE(audit.apply({.file = path()}));
    tell("two");
    EXPECT_TRUE(soon([&] { return lines_of(content()) == 1; }));
    EXPECT_EQ(lines_of(content("old")), 1U);
}

TEST_F(AuditLogTest, drop_loses_what_finds_no_room_and_tells_of_it_once_a_second) {
    Told told;
    make_pipe();
    AuditLog audit(metrics_, {.queue_lines = 50, .exit = milliseconds(100)});
    ASSERT_FALSE(audit.apply({.file = path()}));
    for (int i = 0; i < 5000; ++i) tell(std::string(200, 'x'));
    const auto lost = metrics_.dropped.value();
    EXPECT_GT(lost, 3000U);
    EXPECT_EQ(metrics_.waits.value(), 0U);
    const TimePoint now{seconds(100)};
    audit.report_lost(now);
    audit.report_lost(now);
    EXPECT_EQ(told.lines, std::vector{"audit_dropped " + std::to_string(lost)});
    for (int i = 0; i < 10; ++i) tell("more");
    audit.report_lost(now + milliseconds(900));
    EXPECT_EQ(told.lines.size(), 1U);
    audit.report_lost(now + seconds(1));
    audit.report_lost(now + seconds(3));
    EXPECT_EQ(told.lines, (std::vector<std::string>{"audit_dropped " + std::to_string(lost), "audit_dropped 10"}));
}

TEST_F(AuditLogTest, long_lines_fill_the_queue_by_their_bytes) {
    make_pipe();
    AuditLog audit(metrics_, {.queue_lines = 1000, .queue_bytes = 100'000, .exit = milliseconds(100)});
    ASSERT_FALSE(audit.apply({.file = path()}));
    // The pipe takes 64 KiB, the queue 100 KB and the line that goes beyond them.
    for (int i = 0; i < 100; ++i) tell(std::string(4096, 'x'));
    EXPECT_GT(metrics_.dropped.value(), 50U);
    EXPECT_LT(metrics_.dropped.value(), 90U);
}

TEST_F(AuditLogTest, bytes_that_were_written_make_room_again) {
    AuditLog audit(metrics_, {.queue_lines = 1000, .queue_bytes = 20'000});
    ASSERT_FALSE(audit.apply({.file = path()}));
    for (std::size_t i = 1; i <= 50; ++i) {
        tell(std::string(4096, 'x'));
        ASSERT_TRUE(soon([&] { return lines_of(content()) == i; }));
    }
    EXPECT_EQ(metrics_.dropped.value(), 0U);
}

TEST_F(AuditLogTest, block_waits_for_room_and_loses_nothing) {
    make_pipe();
    AuditLog audit(metrics_, {.queue_lines = 50, .exit = seconds(5)});
    ASSERT_FALSE(audit.apply({.file = path(), .on_overflow = AuditOverflow::block}));
    std::thread writer([] {
        for (int i = 0; i < 3000; ++i) tell(std::string(200, 'x'));
    });
    EXPECT_TRUE(soon([&] { return metrics_.waits.value() > 0; }));
    std::size_t seen = 0;
    std::array<char, 65536> chunk{};
    ASSERT_TRUE(soon([&] {
        for (ssize_t got = 1; got > 0;) {
            got = ::read(reader_, chunk.data(), chunk.size());
            if (got > 0) seen += static_cast<std::size_t>(std::count(chunk.begin(), chunk.begin() + got, '\n'));
        }
        return seen == 3000;
    }));
    writer.join();
    EXPECT_EQ(metrics_.dropped.value(), 0U);
}

TEST_F(AuditLogTest, the_thread_that_ends_the_process_never_waits) {
    AuditLog audit(metrics_, {.queue_lines = 50, .exit = milliseconds(100)});
    ASSERT_FALSE(audit.apply({.file = "/dev/full", .on_overflow = AuditOverflow::block}));
    for (int i = 0; i < 200; ++i) tell("m");
    EXPECT_GE(metrics_.dropped.value(), 140U);
    EXPECT_EQ(metrics_.waits.value(), 0U);
}

TEST_F(AuditLogTest, whoever_waits_for_a_full_disk_goes_on_when_the_process_ends) {
    AuditLog audit(metrics_, {.queue_lines = 50, .exit = milliseconds(100)});
    ASSERT_FALSE(audit.apply({.file = "/dev/full", .on_overflow = AuditOverflow::block}));
    std::atomic<bool> done = false;
    std::thread writer([&] {
        for (int i = 0; i < 200; ++i) tell("m");
        done = true;
    });
    EXPECT_TRUE(soon([&] { return metrics_.waits.value() > 0; }));
    EXPECT_FALSE(done);
    EXPECT_EQ(metrics_.dropped.value(), 0U) << "a full disk is tried again";
    audit.stop_waiting_at(std::chrono::steady_clock::now());
    EXPECT_TRUE(soon([&] { return done.load(); }));
    writer.join();
}

TEST_F(AuditLogTest, whoever_waits_goes_on_when_it_is_turned_off) {
    AuditLog audit(metrics_, {.queue_lines = 50, .exit = milliseconds(100)});
    ASSERT_FALSE(audit.apply({.file = "/dev/full", .on_overflow = AuditOverflow::block}));
    std::thread writer([] {
        for (int i = 0; i < 200; ++i) tell("m");
    });
    EXPECT_TRUE(soon([&] { return metrics_.waits.value() > 0; }));
    ASSERT_FALSE(audit.apply({}));
    writer.join();
}

TEST_F(AuditLogTest, reloads_lose_nothing_of_what_waits_for_a_slow_reader) {
    make_pipe();
    AuditLog audit(metrics_, {.queue_lines = 50, .exit = seconds(5)});
    ASSERT_FALSE(audit.apply({.file = path()}));
    for (int i = 0; i < 2000; ++i) tell(std::string(200, 'x'));
    for (int i = 0; i < 200; ++i) ASSERT_FALSE(audit.apply({.file = path()}));
    std::string read;
    std::array<char, 65536> chunk{};
    const std::string last = "xxx\"";
    std::size_t seen = 0;
    EXPECT_TRUE(soon([&] {
        const ssize_t got = ::read(reader_, chunk.data(), chunk.size());
        if (got > 0) read.append(chunk.data(), static_cast<std::size_t>(got));
        seen = 0;
        for (std::size_t at = read.find(last); at != std::string::npos; at = read.find(last, at + 1)) ++seen;
        return seen + metrics_.dropped.value() == 2000;
    })) << seen
        << " read, " << metrics_.dropped.value() << " told to be lost";
}

TEST_F(AuditLogTest, what_waits_for_a_full_disk_goes_to_the_file_that_takes_its_place) {
    AuditLog audit(metrics_, {.queue_lines = 500, .exit = seconds(5)});
    ASSERT_FALSE(audit.apply({.file = "/dev/full", .on_overflow = AuditOverflow::block}));
    for (int i = 0; i < 100; ++i) tell("m");
    ASSERT_FALSE(audit.apply({.file = path(), .on_overflow = AuditOverflow::block}));
    EXPECT_TRUE(soon([&] { return lines_of(content()) == 100; }));
}

}  // namespace
}  // namespace pgsluice::daemon
