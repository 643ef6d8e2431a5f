#include "glob.hpp"

#include <gtest/gtest.h>

namespace pgsluice::policy {

TEST(Glob, without_wildcards_is_the_name_itself) {
    EXPECT_TRUE(glob_matches("users", "users"));
    EXPECT_TRUE(glob_matches("", ""));
    EXPECT_FALSE(glob_matches("users", "Users"));
    EXPECT_FALSE(glob_matches("users", "users2"));
    EXPECT_FALSE(glob_matches("users", "user"));
    EXPECT_FALSE(glob_matches("", "x"));
}

TEST(Glob, a_star_stands_for_any_characters_and_a_question_mark_for_one) {
    for (const char* glob : {"*", "**", "u*", "*s", "u*s", "*user*", "us?rs", "?????", "*?*", "u*e*s"}) {
        EXPECT_TRUE(glob_matches(glob, "users")) << glob;
    }
    for (const char* glob : {"?", "u*x", "??????", "*x*", "users?", "s*u"}) {
        EXPECT_FALSE(glob_matches(glob, "users")) << glob;
    }
    EXPECT_TRUE(glob_matches("*ab", "aab"));
    EXPECT_TRUE(glob_matches("a*b*c", "aXbYbZc"));
    EXPECT_FALSE(glob_matches("?", ""));
    EXPECT_TRUE(glob_matches("*", ""));
}

TEST(Glob, ends_soon_on_a_name_that_almost_fits) {
    EXPECT_FALSE(glob_matches("*a*a*a*a*a*a*a*a*b", std::string(20000, 'a')));
}

TEST(NamePattern, has_at_most_one_qualifier) {
    EXPECT_EQ(NamePattern::parse("users")->name, "users");
    EXPECT_FALSE(NamePattern::parse("users")->is_qualified());
    EXPECT_EQ(NamePattern::parse("billing.*")->qualifier, "billing");
    EXPECT_EQ(NamePattern::parse("billing.*")->name, "*");
    for (const char* text : {"", ".", "a.", ".a", "a.b.c"}) EXPECT_FALSE(NamePattern::parse(text)) << text;
}

}  // namespace pgsluice::policy
