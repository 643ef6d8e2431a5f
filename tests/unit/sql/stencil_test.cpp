#include "stencil.hpp"

#include "pattern_key.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace pgsluice::sql {
namespace {

constexpr Reading standard{.standard_conforming_strings = true};
constexpr Reading escaping{.standard_conforming_strings = false};

std::optional<Stencil> stencil_of(ByteView text, Reading how = standard) {
    PatternKey key;
    if (!key.build(text, how)) return std::nullopt;
    return Stencil::made_of(text, how, key.left_out());
}

bool fits(ByteView text, ByteView made_of, Reading how = standard) {
    const std::optional<Stencil> stencil = stencil_of(made_of, how);
    return stencil && stencil->fits(text, how);
}

TEST(Stencil, fits_what_differs_in_plain_values) {
    EXPECT_TRUE(fits("select * from t where id = 18", "select * from t where id = 17"));
    EXPECT_TRUE(fits("select 123456789", "select 1"));
    EXPECT_TRUE(fits("select 'b', 2 from t limit 20", "select '', 1 from t limit 10"));
    EXPECT_TRUE(fits("select '\\'", "select 'a'"));
    EXPECT_TRUE(fits("select t1.a /* 2 */ from t1 where $1 = 3", "select t1.a /* 2 */ from t1 where $1 = 4"));
    EXPECT_TRUE(fits("insert into t values (1,'a'),(2,'b')", "insert into t values (3,'it'),(4,'')"));
    EXPECT_TRUE(fits("select 'b'", "select 'it''s'"));
    EXPECT_TRUE(fits("select 7", "select 07"));
}

TEST(Stencil, does_not_fit_other_words) {
    for (const char* other : {"select 1 from u", "select 1 from t ", "select  1 from t", "select 1", "select 1 from",
                              "selecT 1 from t", "select a from t", "select 'a' from t", "select -1 from t", ""}) {
        EXPECT_FALSE(fits(other, "select 1 from t")) << other;
    }
    EXPECT_FALSE(fits("select 5 from t2", "select 4 from t1"));
    EXPECT_FALSE(fits("select $2", "select $1"));
}

// What these are cut into is another matter than what the stencil was made of.
TEST(Stencil, leaves_to_the_lexer_what_is_not_plain) {
    for (const char* other : {"select 1234567890 from t", "select 1.5 from t", "select 1e5 from t", "select 1x from t",
                              "select .5 from t", "select 0x1F from t"}) {
        EXPECT_FALSE(fits(other, "select 1 from t")) << other;
    }
    for (const char* other : {"select 'a''b' from t", "select 'a' from 't", "select 'a\n' 'b' from t", "select 'a",
                              "select E'a' from t", "select $$a$$ from t", "select '' '' from t"}) {
        EXPECT_FALSE(fits(other, "select 'x' from t")) << other;
    }
    EXPECT_FALSE(fits(ByteView("select 'a\0b'", 12), "select 'x'"));
}

TEST(Stencil, takes_no_backslash_that_may_be_an_escape) {
    EXPECT_TRUE(fits("select 'b'", "select 'a'", escaping));
    EXPECT_FALSE(fits("select 'b\\'", "select 'a'", escaping));
    EXPECT_FALSE(stencil_of("select 'a'", standard)->fits("select 'a'", escaping));
}

TEST(Stencil, keeps_values_that_a_key_does_not_leave_out) {
    EXPECT_FALSE(stencil_of("fetch 10 from c"));
    EXPECT_FALSE(stencil_of("select a"));
    EXPECT_FALSE(stencil_of("select $$a$$"));
    EXPECT_FALSE(stencil_of("select 1, 1.5"));
    EXPECT_FALSE(fits("select 1::float(2)", "select 1::float(1)"));
    EXPECT_TRUE(fits("select 2::float(1)", "select 1::float(1)"));
}

TEST(Stencil, is_not_made_of_what_is_long) {
    EXPECT_TRUE(stencil_of("select 1" + std::string(1000, ' ')));
    EXPECT_FALSE(stencil_of("select 1" + std::string(1024, ' ')));
    std::string many = "select 0";
    for (std::size_t i = 1; i < PatternKey::most_listed; ++i) many += ",1";
    EXPECT_TRUE(stencil_of(many));
    EXPECT_FALSE(stencil_of(many + ",1"));
}

// Where a value ends where another begins, or a comment is, the next character decides what it is.
TEST(Stencil, has_the_key_of_whatever_fits_it) {
    const char* texts[] = {
        "select 1",         "select 2",          "select 1.",          "select 1..2",    "select 1.5",
        "select 'a'1",      "select 'a' 1",      "select 'a''1'",      "select 1'a'",    "select 1--'a'",
        "select 1 --'a'\n", "select 'a'\n1",     "select 'a'\n'b'",    "select 'a' 'b'", "select -1",
        "select 1/*2*/",    "select 1/*3*/",     "select $1",          "select $a$1$a$", "select a1",
        "select a[1]",      "select (1)[1]",     "select int '1'",     "select a.1",     "select 1;fetch 1",
        "select e'a'",      "select n'a'",       "select n'b'",        "select u&'a'",   "select 1;select 2",
        "select '1' '2'",   "select '1'--\n'2'", "select '1'--'\n'2'", "select \"1\"",   "select \"'\"'1'"};
    for (const char* a : texts) {
        for (const char* b : texts) {
            if (!fits(b, a)) continue;
            PatternKey of_a, of_b;
            EXPECT_TRUE(of_a.build(a, standard) && of_b.build(b, standard)) << a << " and " << b;
            EXPECT_EQ(of_a.bytes(), of_b.bytes()) << a << " and " << b;
        }
    }
}

TEST(Stencil, is_looked_for_by_what_stands_before_the_first_value) {
    EXPECT_EQ(first_value("select 1"), 7U);
    EXPECT_EQ(first_value("select a1, $2, 'x'"), 15U);
    EXPECT_EQ(first_value("'"), 0U);
    EXPECT_EQ(first_value("select a1 from t2 where $1"), ByteView::npos);
    EXPECT_EQ(first_value(""), ByteView::npos);
}

}  // namespace
}  // namespace pgsluice::sql
