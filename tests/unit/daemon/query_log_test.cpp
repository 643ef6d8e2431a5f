// What is written of a text, and which of many are. What stands beside it: tests/e2e/test_audit.py, test_insight.py.
#include "query_log.hpp"

#include <gtest/gtest.h>

namespace pgsluice::daemon {
namespace {

std::string written(ByteView text, bool literals) {
    const auto read = sql::read_facts(text, {});
    return std::string(text_to_log(std::get_if<sql::Facts>(&read), text, {.literals = literals}));
}

TEST(QueryLog, a_text_has_no_constants_unless_they_are_asked_for) {
    EXPECT_EQ(written("select 17 -- now", false), "select $1");
    EXPECT_EQ(written("select 17 -- now", true), "select 17 -- now");
}

TEST(QueryLog, a_text_that_may_hold_a_password_never_has) {
    EXPECT_EQ(written("alter role a password 'x'", true), "alter role a password $1");
    EXPECT_EQ(written("select 'my password'", true), "select $1");
    EXPECT_EQ(written("execute p('postgres://u:x@h')", true), "execute p($1)");
    EXPECT_EQ(written("execute p(17, 'host=h password=x')", true), "execute p($1, $2)");
    EXPECT_EQ(written("alter database d set app.pw = 'x'", true), "alter database d set app.pw = $1");
    EXPECT_EQ(written("alter role r in database d set app.pw to x", true),
              "alter role r in database d set app.pw to $1");
}

TEST(QueryLog, a_text_that_cannot_be_parsed_is_not_written_at_all) {
    EXPECT_EQ(written("alter role a passwort 'x'", true), "(not parsed)");
    EXPECT_EQ(written("selec 'x'", false), "(not parsed)");
}

TEST(QueryLog, a_long_text_is_left_to_the_log_to_cut) {
    const std::string much = "select '" + std::string(20000, 'x') + "'";
    EXPECT_EQ(written(much, true), much);
}

TEST(QueryLog, a_sample_is_one_in_so_many) {
    EXPECT_FALSE(is_of_sample(0, 0));
    EXPECT_TRUE(is_of_sample(1, 0));
    EXPECT_TRUE(is_of_sample(100, 0));
    for (std::uint64_t number = 1; number < 100; ++number) EXPECT_FALSE(is_of_sample(100, number));
}

}  // namespace
}  // namespace pgsluice::daemon
