#include "pattern.hpp"

#include <gtest/gtest.h>

namespace pgsluice::policy {
namespace {

Pattern compiled(std::string_view text) {
    auto result = Pattern::compile(text);
    EXPECT_TRUE(std::holds_alternative<Pattern>(result)) << text;
    return std::move(std::get<Pattern>(result));
}
std::string error_of(std::string_view text) {
    const auto result = Pattern::compile(text);
    return std::holds_alternative<std::string>(result) ? std::get<std::string>(result) : "";
}

}  // namespace

TEST(Pattern, is_searched_anywhere) {
    EXPECT_TRUE(compiled("from t").found_in("select 1 from t where x"));
    EXPECT_FALSE(compiled("^from t").found_in("select 1 from t"));
    EXPECT_TRUE(compiled("").found_in(""));
}

TEST(Pattern, takes_case_as_written) {
    EXPECT_FALSE(compiled("drop").found_in("DROP TABLE t"));
    EXPECT_TRUE(compiled("(?i)drop").found_in("DROP TABLE t"));
}

TEST(Pattern, a_line_break_is_a_character_like_any_other) {
    EXPECT_TRUE(compiled("delete.*from").found_in("delete\n  from t"));
    EXPECT_FALSE(compiled("(?-s)delete.*from").found_in("delete\n  from t"));
    EXPECT_FALSE(compiled("^from").found_in("delete\nfrom t")) << "^ is the beginning of the text";
    EXPECT_TRUE(compiled("(?m)^from").found_in("delete\nfrom t"));
}

TEST(Pattern, characters_are_those_of_utf8) {
    EXPECT_TRUE(compiled("^caf.$").found_in("caf\xC3\xA9"));
    EXPECT_TRUE(compiled("caf[\xC3\xA9\xC3\xA8]s").found_in("caf\xC3\xA8s"));
    EXPECT_TRUE(compiled("^\\p{Greek}+$").found_in("\xCE\xB1\xCE\xB2"));
}

TEST(Pattern, what_is_wrong_is_said_in_re2s_words) {
    EXPECT_EQ(error_of("a(b"), "missing ): a(b");
    EXPECT_EQ(error_of("*"), "no argument for repetition operator: *");
    EXPECT_EQ(error_of("(a)\\1"), "invalid escape sequence: \\1");
    EXPECT_EQ(error_of("(?=x)"), "invalid perl operator: (?=");
    EXPECT_NE(error_of("\xFF"), "");
}

TEST(Pattern, memory_is_bounded) {
    EXPECT_NE(error_of("((a{1,100}){1,100}){1,100}"), "");
    EXPECT_NE(error_of("[\\p{L}]{1000}"), "") << "a program that does not fit is refused";
}

// Time is linear even where a backtracking matcher would need years, also once the cache of states is full.
TEST(Pattern, hostile_text_costs_linear_time) {
    EXPECT_FALSE(compiled("(a*)*b").found_in(std::string(200000, 'a')));
    EXPECT_FALSE(compiled("(x+x+)+y").found_in(std::string(200000, 'x')));
    std::string noise;
    for (unsigned i = 0, state = 1; i < 200000; ++i)
        noise += (state = state * 1103515245 + 12345) >> 16 & 1 ? 'a' : 'b';
    EXPECT_FALSE(compiled("a[ab]{18}c").found_in(noise));
}

}  // namespace pgsluice::policy
