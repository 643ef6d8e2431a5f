#include "cancel_guesses.hpp"

#include <gtest/gtest.h>

namespace pgsluice::daemon {
namespace {

class CancelGuessesTest : public testing::Test {
  protected:
    void exhaust(std::string_view source) {
        for (std::uint32_t i = 1; i < CancelGuesses::usual_limit; ++i) EXPECT_FALSE(wrong_key(source));
        EXPECT_FALSE(is_exhausted(source));
        EXPECT_TRUE(wrong_key(source));
    }
    bool wrong_key(std::string_view source) { return guesses.note(address(source), now); }
    bool is_exhausted(std::string_view source) const { return guesses.is_exhausted(address(source), now); }
    static Address address(std::string_view text) { return text == "unix" ? Address{} : Address::parse(text).value(); }

    CancelGuesses guesses{42};
    TimePoint now{std::chrono::hours(1)};
};

TEST_F(CancelGuessesTest, a_source_may_try_so_many_wrong_keys_in_a_window) {
    exhaust("10.0.0.1");
    EXPECT_TRUE(is_exhausted("10.0.0.1"));
    EXPECT_FALSE(wrong_key("10.0.0.1")) << "told once";
}

TEST_F(CancelGuessesTest, starts_over_when_the_window_ends) {
    exhaust("10.0.0.1");
    now += CancelGuesses::window - Milliseconds(1);
    EXPECT_TRUE(is_exhausted("10.0.0.1"));
    now += Milliseconds(1);
    EXPECT_FALSE(is_exhausted("10.0.0.1"));
    exhaust("10.0.0.1");
}

TEST_F(CancelGuessesTest, other_sources_are_not_touched) {
    exhaust("10.0.0.1");
    for (const auto* other : {"10.0.0.2", "::1", "2001:db8::1", "unix"}) EXPECT_FALSE(is_exhausted(other)) << other;
    exhaust("unix");
}

TEST_F(CancelGuessesTest, a_subscribers_ipv6_addresses_are_one_source) {
    exhaust("2001:db8:0:1::1");
    EXPECT_TRUE(is_exhausted("2001:db8:0:1:ffff::2"));
    EXPECT_FALSE(is_exhausted("2001:db8:0:2::1"));
}

}  // namespace
}  // namespace pgsluice::daemon
