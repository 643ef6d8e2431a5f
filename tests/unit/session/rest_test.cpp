#include <pgsluice/session/rest.hpp>

#include <gtest/gtest.h>

namespace pgsluice::session {
namespace {

class RestTest : public testing::Test {
  protected:
    Bytes scratch;
    wire::Outbox onward{scratch};
    Rest rest;
};

TEST_F(RestTest, is_not_due_before_a_message_has_begun) {
    EXPECT_FALSE(rest.is_due());
    EXPECT_EQ(rest.take("abc", onward), 0U);
    EXPECT_TRUE(onward.empty());
}

TEST_F(RestTest, goes_onward_in_the_pieces_that_come_and_takes_nothing_of_the_next_message) {
    rest.expect(5, Rest::Goes::onward);
    EXPECT_EQ(rest.take("abc", onward), 3U);
    EXPECT_EQ(rest.bytes(), 2U);
    EXPECT_TRUE(rest.is_half_sent());
    EXPECT_EQ(rest.take("deNEXT", onward), 2U);
    EXPECT_EQ(onward.view(), "abcde");
    EXPECT_FALSE(rest.is_due());
    EXPECT_FALSE(rest.is_half_sent());
}

TEST_F(RestTest, of_what_was_dropped_goes_nowhere) {
    rest.expect(5, Rest::Goes::nowhere);
    EXPECT_TRUE(rest.is_due());
    EXPECT_FALSE(rest.is_half_sent());
    EXPECT_EQ(rest.take("abcdeNEXT", onward), 5U);
    EXPECT_TRUE(onward.empty());
}

}  // namespace
}  // namespace pgsluice::session
