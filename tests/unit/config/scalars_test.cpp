#include "scalars.hpp"

#include "folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsluice::config::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

TEST(Scalars, DurationsHaveAUnit) {
    const std::pair<const char*, Milliseconds> good[] = {
        {"0", 0ms},   {"0s", 0ms}, {"0ms", 0ms}, {"1ms", 1ms},        {"500ms", 500ms}, {"10s", 10s},
        {"5m", 5min}, {"1h", 1h},  {"1d", 24h},  {"365d", 24h * 365}, {"90m", 90min},   {"007s", 7s},
    };
    for (const auto& [text, value] : good) {
        const auto parsed = parse_duration(text);
        ASSERT_TRUE(parsed) << text << ": " << parsed.error();
        EXPECT_EQ(*parsed, value) << text;
    }
    for (const char* text : {"", "s", "1", "30", "-1s", "+1s", "1.5s", "1 s", " 1s", "1s ", "1S", "1min", "1h30m",
                             "1us", "off", "0x1s", "1ms1"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

TEST(Scalars, NumbersTooLargeForTheMachineAreStillTooLarge) {
    EXPECT_GT(*parse_duration("99999999999999999999d"), 24h * 365);
    EXPECT_GT(*parse_duration("18446744073709551615d"), 24h * 365);
    EXPECT_GT(*parse_size("18446744073709551615GiB"), 1ULL << 40);
    EXPECT_GT(*parse_number("99999999999999999999"), 1ULL << 40);
}

TEST(Scalars, SizesMayHaveAUnit) {
    const std::pair<const char*, std::uint64_t> good[] = {
        {"0", 0},
        {"1", 1},
        {"4096", 4096},
        {"16KiB", 16384},
        {"1MiB", 1048576},
        {"1GiB", 1073741824},
        {"1073741822", 1073741822},
    };
    for (const auto& [text, value] : good) {
        const auto parsed = parse_size(text);
        ASSERT_TRUE(parsed) << text << ": " << parsed.error();
        EXPECT_EQ(*parsed, value) << text;
    }
    for (const char* text : {"", "KiB", "-1", "1.5MiB", "1 MiB", "16KB", "16kB", "16K", "16k", "1mib", "1B", "1e3"}) {
        EXPECT_FALSE(parse_size(text)) << text;
    }
}

TEST(Scalars, NumbersAreDecimalDigits) {
    EXPECT_EQ(*parse_number("0"), 0u);
    EXPECT_EQ(*parse_number("65535"), 65535u);
    for (const char* text : {"", "-1", "+1", "1.0", "0x10", "1_000", "one", " 1"})
        EXPECT_FALSE(parse_number(text)) << text;
}

TEST(Scalars, WritingReadsBack) {
    for (const char* text : {"0", "1ms", "1500ms", "2s", "90s", "1m", "90m", "1h", "25h", "1d", "365d"}) {
        EXPECT_EQ(duration_text(*parse_duration(text)), text);
    }
    EXPECT_EQ(duration_text(60s), "1m");
    for (const char* text : {"0", "1", "1025", "16KiB", "1025KiB", "1MiB", "1GiB", "1073741822"}) {
        EXPECT_EQ(size_text(*parse_size(text)), text);
    }
}

// Every key with a range: the ends are taken, one beyond is not.
struct Range {
    const char* section;  // with VALUE in it
    const char* lowest;
    const char* highest;
    const char* below;  // null where there is nothing below
    const char* above;
    bool zero;
};

void PrintTo(const Range& c, std::ostream* out) {
    *out << words_of(c.section);
}

constexpr const char* longest = "365d";
constexpr const char* too_long = "366d";
const Range ranges[] = {
    {"limits: { client_connections: VALUE }", "1", "1000000", nullptr, "1000001", false},
    {"limits: { connections_per_user: VALUE }", "1", "1000000", nullptr, "1000001", true},
    {"limits: { connections_per_database: VALUE }", "1", "1000000", nullptr, "1000001", true},
    {"limits: { connections_per_address: VALUE }", "1", "1000000", nullptr, "1000001", true},
    {"limits: { login_timeout: VALUE }", "1ms", longest, nullptr, too_long, true},
    {"limits: { inspect_bytes: VALUE }", "16KiB", "1073741822", "16383", "1073741823", false},
    {"limits: { parse_inline: VALUE }", "1KiB", "64KiB", "1023", "65537", false},
    {"limits: { message_bytes: VALUE }", "16KiB", "1073741822", "16383", "1GiB", false},
    {"timeouts: { query: VALUE }", "1ms", longest, nullptr, too_long, true},
    {"timeouts: { transaction: VALUE }", "1ms", longest, nullptr, too_long, true},
    {"timeouts: { idle_transaction: VALUE }", "1ms", longest, nullptr, too_long, true},
    {"timeouts: { client_idle: VALUE }", "1ms", longest, nullptr, too_long, true},
    {"timeouts: { connect: VALUE }", "1ms", longest, nullptr, too_long, true},
    {"timeouts: { connect_retry: VALUE }", "1ms", longest, nullptr, too_long, true},
    {"timeouts: { cancel: VALUE }", "1ms", longest, nullptr, too_long, true},
    {"timeouts: { abandoned: VALUE }", "1ms", longest, nullptr, too_long, true},
    {"timeouts: { tcp_user: VALUE }", "1ms", "1d", nullptr, "25h", true},
    {"timeouts: { keepalive: { idle: VALUE } }", "1s", "32767s", "999ms", "32768s", true},
    {"timeouts: { keepalive: { interval: VALUE } }", "1s", "32767s", "999ms", "32768s", false},
    {"timeouts: { keepalive: { count: VALUE } }", "1", "127", nullptr, "128", false},
    {"shutdown: { delay: VALUE }", "1ms", longest, nullptr, too_long, true},
    {"shutdown: { timeout: VALUE }", "1ms", longest, nullptr, too_long, true},
    {"workers: VALUE", "1", "1024", nullptr, "1025", false},
    {"admin: { http: { port: VALUE } }", "1", "65535", nullptr, "65536", true},
    {"metrics: { max_series: VALUE }", "1", "1000000", nullptr, "1000001", true},
    {"insight: { max_queries: VALUE }", "1", "100000", nullptr, "100001", true},
};

class Ranges : public ::testing::TestWithParam<Range> {};

TEST_P(Ranges, TakeTheirEndsAndNothingBeyond) {
    const Range& range = GetParam();
    const Folder folder;
    const auto takes = [&](const std::string& value) {
        std::string section = range.section;
        section.replace(section.find("VALUE"), 5, value);
        const Loaded loaded = folder.load(base + section + '\n');
        for (const Problem& problem : loaded.problems) {
            EXPECT_EQ(problem.line, 5) << problem.to_string();
            EXPECT_THAT(problem.text, HasSubstr("; allowed is ")) << problem.to_string();
        }
        return static_cast<bool>(loaded);
    };
    EXPECT_TRUE(takes(range.lowest));
    EXPECT_TRUE(takes(range.highest));
    if (range.below != nullptr) {
        EXPECT_FALSE(takes(range.below));
    }
    EXPECT_FALSE(takes(range.above));
    EXPECT_EQ(takes("0"), range.zero);
    EXPECT_FALSE(takes("99999999999999999999"));
    EXPECT_FALSE(takes("-1"));
}

INSTANTIATE_TEST_SUITE_P(EveryKey, Ranges, ::testing::ValuesIn(ranges));

class PoolRanges : public ::testing::TestWithParam<Range> {};

TEST_P(PoolRanges, TakeTheirEndsAndNothingBeyond) {
    const Range& range = GetParam();
    const Folder folder;
    const auto takes = [&](const std::string& value) {
        std::string section = range.section;
        section.replace(section.find("VALUE"), 5, value);
        return static_cast<bool>(
            folder.load("listeners: [ { address: 127.0.0.1 } ]\n"
                        "auth: { rules: [ { method: scram-sha-256 } ] }\n"
                        "clusters: { main: { servers: [ { host: /run } ] } }\n"
                        "routes: [ { name: all, " +
                        section + " } ]\n"));
    };
    EXPECT_TRUE(takes(range.lowest));
    EXPECT_TRUE(takes(range.highest));
    EXPECT_FALSE(takes(range.above));
    EXPECT_EQ(takes("0"), range.zero);
}

INSTANTIATE_TEST_SUITE_P(
    EveryKey, PoolRanges,
    ::testing::Values(Range{"pool: { size: VALUE }", "1", "100000", nullptr, "100001", false},
                      Range{"pool: { min_size: VALUE, size: 100000 }", "1", "100000", nullptr, "100001", true},
                      Range{"pool: { reserve_size: VALUE }", "1", "100000", nullptr, "100001", true},
                      Range{"pool: { reserve_timeout: VALUE }", "1ms", longest, nullptr, too_long, true},
                      Range{"pool: { query_wait_timeout: VALUE }", "1ms", longest, nullptr, too_long, true},
                      Range{"pool: { idle_timeout: VALUE }", "1ms", longest, nullptr, too_long, true},
                      Range{"pool: { lifetime: VALUE }", "1ms", longest, nullptr, too_long, true},
                      Range{"pool: { check_after_idle: VALUE }", "1ms", longest, nullptr, too_long, true},
                      Range{"pool: { max_prepared_statements: VALUE }", "1", "1000000", nullptr, "1000001", true},
                      Range{"timeouts: { query: VALUE }", "1ms", longest, nullptr, too_long, true},
                      Range{"max_connections: VALUE", "1", "1000000", nullptr, "1000001", true}));

}  // namespace
}  // namespace pgsluice::config::test
