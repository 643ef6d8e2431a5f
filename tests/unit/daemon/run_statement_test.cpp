// What a server answers to a statement of pgsluice's own. Servers that send too much or nothing:
// tests/e2e/test_hostile_servers.py.
#include "server_connection.hpp"
#include "unit/net/loop.hpp"

#include <pgsluice/wire/frontend_messages.hpp>

#include <gtest/gtest.h>

namespace pgsluice::daemon {
namespace {

using namespace std::string_literals;

std::string message(char tag, const std::string& body) {
    const std::size_t size = body.size() + 4;
    return std::string{tag, 0, 0, static_cast<char>(size >> 8), static_cast<char>(size)} + body;
}

const std::string row = message('D', "\0\1\0\0\0\4good"s);
const std::string answer = row + message('C', "SELECT 1\0"s) + message('Z', "I");
const std::string failed_answer = message('E', "SERROR\0C22021\0Mno text\0\0"s) + message('Z', "I");
const std::string time_zone = message('S', "TimeZone\0UTC\0"s);
const std::string asides =
    message('N', "SNOTICE\0C00000\0Mhello\0\0"s) + time_zone + message('A', "\0\0\0\1channel\0\0"s);

class RunStatement : public testing::Test {
  protected:
    // The text of the row, or what is wrong with the answer.
    std::string told_by(const std::string& sent) {
        auto [near, far] = net::unix_pair();
        net::LinkPtr link = net::Link::create(loop.reactor, std::move(far), net::Side::server);
        ::send(near.get(), sent.data(), sent.size(), MSG_NOSIGNAL);
        refused.clear();
        const auto rows =
            loop.await(run_statement(*link, "select x", {}, net::in(Milliseconds(5000)), &reported, &refused));
        if (!rows) return rows.error().text;
        return rows->size() == 1 ? (*rows)[0].values.at(0).value_or("") : "";
    }

    net::Loop loop;
    std::vector<wire::Setting> reported{{"TimeZone", "Europe/Berlin"}};
    std::string refused;
};

TEST_F(RunStatement, takes_the_answer) {
    EXPECT_EQ(told_by(answer), "good");
    EXPECT_EQ(told_by(failed_answer), "server error 22021: no text");
    EXPECT_EQ(refused, "22021");
}

TEST_F(RunStatement, takes_nothing_behind_the_answer_for_another_one) {
    for (const std::string& more : {answer, row, message('Z', "I"), failed_answer, "?"s, asides + row}) {
        EXPECT_EQ(told_by(answer + more), "the server sent more than its answer");
        EXPECT_EQ(told_by(failed_answer + more), "the server sent more than its answer");
        EXPECT_EQ(refused, "") << "the connection is good for nothing more";
    }
}

TEST_F(RunStatement, takes_no_part_of_a_message_behind_the_answer) {
    for (std::size_t size = 1; size < time_zone.size(); ++size) {
        EXPECT_EQ(told_by(answer + time_zone.substr(0, size)), "the server sent more than its answer") << size;
    }
    EXPECT_EQ(reported[0].second, "Europe/Berlin");
}

TEST_F(RunStatement, heeds_what_servers_may_say_at_any_time_behind_the_answer) {
    EXPECT_EQ(told_by(answer + asides), "good");
    EXPECT_EQ(reported[0].second, "UTC");
    EXPECT_EQ(told_by(failed_answer + asides), "server error 22021: no text");
    EXPECT_EQ(refused, "22021");
}

}  // namespace
}  // namespace pgsluice::daemon
