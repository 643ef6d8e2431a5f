#include "log_format.hpp"

#include <pgsluice/base/escape.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include <limits>

namespace pgsluice::daemon {
namespace {

constexpr LogStyle text{}, json{.format = config::LogFormat::json};
const std::chrono::system_clock::time_point time{std::chrono::microseconds(1'700'000'000'000'042)};

std::string line(const LogStyle& style, std::string_view message, std::initializer_list<log::Field> fields = {}) {
    return format_line(style, time, {log::Level::warning, "client_login_failed", message, fields});
}

boost::json::object parsed(const std::string& line) {
    boost::system::error_code error;
    const auto value = boost::json::parse(line, error);
    EXPECT_FALSE(error) << error.message() << ": " << line;
    return error ? boost::json::object() : value.as_object();
}

TEST(LogFormat, Text) {
    EXPECT_EQ(
        line(text, "wrong password",
             {{"user", "ada"}, {"count", std::int64_t{3}}, {"tls", true}, {"session", std::int64_t{7}}}),
        "2023-11-14T22:13:20.000042Z warning client_login_failed wrong password session=7 user=ada count=3 tls=true\n");
}

TEST(LogFormat, TextQuotesWhatWouldReadAsAnotherField) {
    EXPECT_EQ(line(text, "m", {{"user", "a b"}, {"database", "x=1"}, {"route", "say \"hi\""}, {"empty", ""}}),
              "2023-11-14T22:13:20.000042Z warning client_login_failed m "
              "user=\"a b\" database=\"x=1\" route=\"say \\\"hi\\\"\" empty=\"\"\n");
}

TEST(LogFormat, NoMessageReadsAsAField) {
    const std::string front = "2023-11-14T22:13:20.000042Z warning client_login_failed ";
    EXPECT_EQ(line(text, "server error 28P01: no user=\"root\"", {{"user", "ada"}}),
              front + "\"server error 28P01: no user=\\\"root\\\"\" user=ada\n");
    EXPECT_EQ(line(text, "x \\\" user=root"), front + "\"x \\\\\\\" user=root\"\n");
    EXPECT_EQ(line(text, "\"a\" is quoted", {{"user", "ada"}}), front + "\"\\\"a\\\" is quoted\" user=ada\n");
    EXPECT_EQ(line(text, "role \"a\" is not permitted"), front + "role \"a\" is not permitted\n");
    EXPECT_EQ(line(text, "", {{"user", "ada"}}), front + " user=ada\n");
}

TEST(LogFormat, JsonKeepsItsFieldsStable) {
    EXPECT_EQ(
        line(json, "wrong password", {{"user", "ada"}, {"seconds", 1.5}, {"tls", false}, {"session", std::int64_t{7}}}),
        R"({"time":"2023-11-14T22:13:20.000042Z","level":"warning","event":"client_login_failed",)"
        R"("message":"wrong password","session":7,"user":"ada","seconds":1.5,"tls":false})"
        "\n");
}

TEST(LogFormat, TheJournalGetsAPriorityAndKeepsTheTimeItself) {
    EXPECT_EQ(line({.journal = true}, "m"), "<4>warning client_login_failed m\n");
    EXPECT_EQ(line({.format = config::LogFormat::json, .journal = true}, "m").substr(0, 11), "<4>{\"time\":");
}

TEST(LogFormat, JsonHasNoInfinity) {
    const auto object = parsed(line(
        json, "m", {{"a", std::numeric_limits<double>::infinity()}, {"b", std::numeric_limits<double>::quiet_NaN()}}));
    EXPECT_TRUE(object.at("a").is_null());
    EXPECT_TRUE(object.at("b").is_null());
}

TEST(LogFormat, ValidTextComesBackFromJsonAsItWas) {
    for (const std::string value : {"a\nb", "\"quoted\" \\ back", "tab\t", "\x1b[31m", "del\x7f", "Zoë 漢字 🦆",
                                    "\xc2\x9b"
                                    "31m",
                                    ""})
        EXPECT_EQ(parsed(line(json, value, {{"user", value}})).at("user").as_string(), value);
    const std::string with_nul("a\0b", 3);
    EXPECT_EQ(parsed(line(json, "m", {{"user", with_nul}})).at("user").as_string(), with_nul);
}

TEST(LogFormat, InvalidUtf8BecomesText) {
    EXPECT_EQ(parsed(line(json, "m", {{"user", "a\xff\xc3(\xed\xa0\x80"}})).at("user").as_string(),
              "a\\xff\\xc3(\\xed\\xa0\\x80");
}

TEST(LogFormat, NoOctetsCanForgeALine) {
    std::string hostile = "a\n\"b\x1b[31m\r\n{\"level\":\"info\"}";
    for (int octet = 0; octet < 256; ++octet) hostile += static_cast<char>(octet);
    hostile += "\xe2\x80\xa8\xe2\x80\xae";  // ends a line, turns the direction
    hostile += "\xf0\x9f";                  // cut off
    for (const LogStyle& style : {text, json, LogStyle{.journal = true}}) {
        const std::string made =
            format_line(style, time, {log::Level::info, hostile, hostile, {{hostile, hostile}, {"session", hostile}}});
        ASSERT_EQ(made.back(), '\n');
        const std::string_view body(made.data(), made.size() - 1);
        for (const char c : body) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << made;
        EXPECT_EQ(body.find('\x7f'), std::string_view::npos);
        for (std::string_view rest = body; !rest.empty();) {
            const std::size_t length = utf8_sequence_length(rest);
            ASSERT_GT(length, 0u);
            EXPECT_FALSE(control_at(rest)) << made;
            rest.remove_prefix(length);
        }
        if (style.format == config::LogFormat::json) parsed(made);
    }
}

TEST(LogFormat, LongValuesAreCut) {
    const std::string long_value(100'000, 'x'), long_controls(100'000, '\x01');
    EXPECT_LT(line(text, long_value, {{"a", long_value}, {"b", long_controls}}).size(), 10'000u);
    EXPECT_LT(line(json, long_value, {{"a", long_value}, {"b", long_controls}}).size(), 20'000u);
    parsed(line(json, long_value, {{"b", long_controls}}));
    const std::string wide = std::string(1023, 'x') + "é";  // the limit falls inside a character
    EXPECT_EQ(parsed(line(json, "m", {{"a", wide}})).at("a").as_string(), wide);
}

}  // namespace
}  // namespace pgsluice::daemon
