// Texts that would cost far more than they are long.
#include <pgsluice/sql/session_effect.hpp>

#include <cost.hpp>
#include <gtest/gtest.h>

namespace pgsluice::sql {
namespace {

std::string repeated(std::string_view part, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) all += part;
    return all;
}

std::uint64_t copied(const std::string& text) {
    const auto tokens = tokens_of(text);
    EXPECT_TRUE(std::holds_alternative<Tokens>(tokens)) << text;
    return copied_tokens(*std::get<Tokens>(tokens));
}

// Each level is in the tree twice as often as the one around it.
std::string nested_assignments(std::size_t depth) {
    return repeated("with x as (update t set (a, b) = (", depth) + "select 1, 2" +
           repeated(") returning 1) select 1, 2", depth);
}

std::string why(const std::string& text) {
    const auto read = read_facts(text, {});
    return std::holds_alternative<Facts>(read) ? "" : std::get<Unparsable>(read).why;
}

TEST(Cost, of_such_a_text_is_not_paid_to_know_its_effect_on_the_session) {
    EXPECT_EQ(session_effect("set x = 1; " + nested_assignments(40)), SessionEffect::anything);
    EXPECT_EQ(session_effect("set x = 1" + std::string(3000, '+')), SessionEffect::anything);
}

TEST(Cost, what_is_assigned_to_several_columns_is_copied_for_each) {
    EXPECT_EQ(copied("update t set a = 1, b = 2 where c"), 0U);
    EXPECT_EQ(copied("update t set (a) = (1) where c"), 0U);
    EXPECT_EQ(copied("update t set (a, b) = (1, 2)"), 5U);
    EXPECT_EQ(copied("update t set x = 0, (a, b, c) = (1), y = 2 where (d, e) = (3, 4)"), 8U);
    EXPECT_EQ(copied("update t set (a, b) = array[1, 2], c = f(1, 2)"), 7U);
    EXPECT_EQ(copied("insert into t values (1) on conflict (i) do update set (a, b) = (1)"), 3U);
    EXPECT_EQ(copied("update t set (a, b) = set + (1) is distinct from (2)"), 11U);
}

TEST(Cost, row_comparisons_are_not_copied) {
    EXPECT_EQ(copied("update t set a = 1 where (b, c) = (1, 2) or (b, c) = (3, 4)"), 0U);
    EXPECT_EQ(copied("select 1 from t where (a, b) = (1, 2)"), 0U);
    EXPECT_EQ(copied("select set, (a, b) = (1, 2)"), 5U);  // "set" is a column here: too many rather than too few
}

TEST(Cost, copies_multiply_where_they_nest) {
    EXPECT_GT(copied(nested_assignments(10)), 1U << 10);
    EXPECT_GT(copied(nested_assignments(20)), 1U << 20);
    EXPECT_EQ(copied(nested_assignments(200)), std::uint64_t{1} << 32);
}

TEST(Cost, a_text_that_copies_too_much_is_unparsable) {
    EXPECT_EQ(why(nested_assignments(3)), "");
    EXPECT_EQ(why(nested_assignments(40)), "it assigns too much to several columns at once");
    EXPECT_EQ(why("update t set (a" + repeated(", a", 100) + ") = (1" + repeated(", 1", 100) + ")"), "");
    EXPECT_EQ(why("update t set (a" + repeated(", a", 2000) + ") = (1" + repeated(", 1", 2000) + ")"),
              "it assigns too much to several columns at once");
}

TEST(Cost, a_run_of_operator_characters_is_unparsable) {
    EXPECT_EQ(why("select " + repeated("+", 200) + "1"), "");
    EXPECT_EQ(why("select " + repeated("+", 300) + "1"), "an operator in it is too long");
    EXPECT_FALSE(has_long_operator(repeated("-", 1000)));
    EXPECT_FALSE(has_long_operator("/*" + repeated("*", 1000) + "/" + repeated("/*", 100)));
}

TEST(Cost, comments_that_begin_in_comments_are_a_run_of_operator_characters) {
    for (const char* part : {"/*", "/*+", "/*-", "/*--", "+/**/", "*/"}) {
        EXPECT_TRUE(has_long_operator("select 1 " + repeated(part, 300))) << part;
        EXPECT_FALSE(has_long_operator("select 1 " + repeated(part + std::string(" "), 300))) << part;
    }
    EXPECT_EQ(why("select " + repeated("/*", 300)), "an operator in it is too long");
    EXPECT_EQ(why("select /*" + repeated("/**/", 300) + "*/ 1"), "");
    EXPECT_EQ(session_effect("set x = 1 /*" + repeated("/*", 300)), SessionEffect::anything);
}

}  // namespace
}  // namespace pgsluice::sql
