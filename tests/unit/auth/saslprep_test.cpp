#include <pgsluice/auth/saslprep.hpp>

#include <gtest/gtest.h>

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

TEST(Saslprep, has_an_end_for_long_passwords) {
    std::string password;
    for (int i = 0; i < 70000; ++i) password += "\u00aa";
    EXPECT_EQ(saslprep(password), password);
}

}  // namespace pgsluice::auth
