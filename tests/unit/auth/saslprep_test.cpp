#include <pgsluice/auth/saslprep.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::auth {

TEST(Saslprep, leaves_ascii_as_it_is) {
    EXPECT_EQ(saslprep("secret"), "secret");
    EXPECT_EQ(saslprep(""), "");
    EXPECT_EQ(saslprep("\x01\x7f"), "\x01\x7f");  // prohibited by the profile, let through by PostgreSQL's fast path
}

// RFC 4013 section 3, and what PostgreSQL's src/common/saslprep.c names.
TEST(Saslprep, maps_and_normalizes) {
    EXPECT_EQ(saslprep("I\u00adX"), "IX");  // SOFT HYPHEN becomes nothing
    EXPECT_EQ(saslprep("\u00aa"), "a");     // NFKC
    EXPECT_EQ(saslprep("\u2168"), "IX");
    EXPECT_EQ(saslprep("a\u00a0b"), "a b");  // NO-BREAK SPACE becomes a space
    EXPECT_EQ(saslprep("p\u00e4ss\u00adw\u00f6rd\u00a0\u2168"), "p\u00e4ssw\u00f6rd IX");
}

TEST(Saslprep, takes_the_raw_bytes_where_the_profile_does_not_apply) {
    for (const std::string password :
         {"\u00e4\x07", "\u0627\u0031", "\u0221", "\xff\xfe", "\xc3", "\xed\xa0\x80", "\u00ad"}) {
        EXPECT_EQ(saslprep(password), password);
    }
    const std::string with_nul("\u00e4\0b", 4);
    EXPECT_EQ(saslprep(with_nul), with_nul);
}

std::string repeated(std::string_view text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
}

// As PostgreSQL 15 does, which has no limit.
TEST(Saslprep, maps_long_passwords_too) {
    EXPECT_EQ(saslprep(repeated("\u00aa", 8000)), std::string(8000, 'a'));
}

TEST(Saslprep, leaves_what_is_longer_than_16_kib_as_it_is) {
    EXPECT_EQ(saslprep(repeated("\u00aa", 8192)), std::string(8192, 'a'));
    EXPECT_EQ(saslprep(repeated("\u00aa", 8193)), repeated("\u00aa", 8193));
    EXPECT_EQ(saslprep(repeated("a", 65000)), std::string(65000, 'a'));
}

TEST(Saslprep, takes_no_longer_for_what_becomes_eighteen_times_as_many_characters_or_has_to_be_sorted) {
    const std::vector<std::string> dear{repeated("\ufdfa", 5461), repeated("\ufdfa", 21800),
                                        "a" + repeated("\u0301", 4095) + repeated("\u0316", 4095),
                                        "a" + repeated("\u0301", 16000) + repeated("\u0316", 16000)};
    for (const std::string& password : dear) {
        const auto began = std::chrono::steady_clock::now();
        EXPECT_FALSE(saslprep(password).empty());
        EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(500)) << password.size();
    }
    EXPECT_EQ(saslprep("\ufdfa").size(), 33U);
    EXPECT_EQ(saslprep(repeated("\ufdfa", 5461)).size(), 33U * 5461);
}

}  // namespace pgsluice::auth
