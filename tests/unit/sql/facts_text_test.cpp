// What is read of a text as a whole: how it is cut into words, what its normalized form hides, what is refused.
#include "facts_picture.hpp"

#include <gtest/gtest.h>

namespace pgsluice::sql {
namespace {

constexpr Reading conforming{.standard_conforming_strings = true};
constexpr Reading not_conforming{.standard_conforming_strings = false};

std::string normalized(ByteView text) {
    const auto read = read_facts(text, conforming);
    return std::holds_alternative<Facts>(read) ? std::get<Facts>(read).normalized : describe(read);
}

std::uint64_t fingerprint(ByteView text) {
    const auto read = read_facts(text, conforming);
    return std::holds_alternative<Facts>(read) ? std::get<Facts>(read).fingerprint : 0;
}

std::string repeated(std::string_view part, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) all += part;
    return all;
}

TEST(FactsOfText, nothing_but_comments_has_no_statement) {
    for (const char* text : {"", " \n\t", "-- all", "/* all */", ";", " ; -- all\n;"}) {
        EXPECT_EQ(describe(read_facts(text, conforming)), "0-statements") << text;
    }
}

TEST(FactsOfText, a_backslash_ends_no_string_where_strings_do_not_conform) {
    const char* hidden = R"(select '\'; delete from users; --')";
    EXPECT_EQ(describe(read_facts(hidden, conforming)), "delete, select; users:rw; no-where writes 2-statements");
    EXPECT_EQ(describe(read_facts(hidden, not_conforming)), "select");
    const char* open = R"(select '\'' from t; delete from users)";
    EXPECT_EQ(describe(read_facts(open, conforming)), "unparsable: unterminated quoted string");
    EXPECT_EQ(describe(read_facts(open, not_conforming)),
              "delete, select; t:r users:rw; no-where no-limit writes 2-statements");
}

TEST(FactsOfText, an_escape_string_reads_the_same_either_way) {
    const char* text = R"(select E'\'; delete from users; --')";
    EXPECT_EQ(describe(read_facts(text, conforming)), "select");
    EXPECT_EQ(describe(read_facts(text, not_conforming)), "select");
}

TEST(FactsOfText, how_one_text_is_read_does_not_stay_for_the_next) {
    read_facts(R"(select '\'')", not_conforming);
    EXPECT_EQ(describe(read_facts(R"(select '\')", conforming)), "select");
    read_facts("select", not_conforming);
    EXPECT_EQ(describe(read_facts(R"(select '\')", conforming)), "select");
}

TEST(FactsOfText, a_text_with_nul_is_unparsable) {
    EXPECT_EQ(describe(read_facts(std::string_view("select 1\0; delete from t", 24), conforming)),
              "unparsable: it has a NUL");
}

TEST(FactsOfText, octets_that_are_no_utf8_are_letters) {
    EXPECT_EQ(describe(read_facts("select \"\xff\xfe\", '\xff' from \xc3", conforming)),
              "select; \xc3:r; \xc3.\xff\xfe; no-limit");
}

TEST(FactsOfText, why_it_is_unparsable_quotes_nothing_of_it) {
    EXPECT_EQ(describe(read_facts("select 1 'secret'", conforming)), "unparsable: syntax error");
    EXPECT_EQ(describe(read_facts("create role a secret", conforming)), "unparsable: unrecognized role option");
}

TEST(FactsOfText, every_constant_is_a_parameter_in_the_normalized_text) {
    EXPECT_EQ(normalized("select e'a\\'b', $$b$$, $x$c$x$, -1, 1.5e3, b'01', x'ff', u&'\\0041', n'x' from \"T\""),
              "select $1, $2, $3, -$4, $5, $6, $7, $8, n $9 from \"T\"");
    EXPECT_EQ(normalized("alter role a password 'x'; create user b encrypted password 'y' valid until 'z'"),
              "alter role a password $1; create user b encrypted password $2 valid until $3");
    EXPECT_EQ(normalized("set a = 'b'; set local c to 'd', 5; set time zone 'e'"),
              "set a = $1; set local c to $2, $3; set time zone $4");
    EXPECT_EQ(normalized("copy t from 'file' with (delimiter ','); copy t to program 'curl'"),
              "copy t from $1 with (delimiter $2); copy t to program $3");
    EXPECT_EQ(normalized("do $$ begin end $$; create function f() returns int language sql as 'select 1'"),
              "do $1; create function f() returns int language sql as $2");
    EXPECT_EQ(normalized("create table t (a varchar(10) default 'x'); comment on table t is 'y'; notify a, 'b'"),
              "create table t (a varchar($1) default $2); comment on table t is $3; notify a, $4");
    EXPECT_EQ(normalized("create user mapping for a server s options (user 'x', password 'y')"),
              "create user mapping for a server s options (user $1, password $2)");
    EXPECT_EQ(normalized("create subscription s connection 'host=x password=y' publication p"),
              "create subscription s connection $1 publication p");
}

TEST(FactsOfText, words_with_unicode_escapes_are_whole_in_the_normalized_text) {
    EXPECT_EQ(normalized("select u&\"\\0061 b\" , u&'x' uescape '!' from u&\"t\" /* c */ "),
              "select u&\"\\0061 b\" , $1 uescape $2 from u&\"t\"");
    EXPECT_EQ(normalized("select u&'secret'\n'secret'"), "select $1");
}

TEST(FactsOfText, normalized_numbers_go_on_from_those_of_the_text) {
    EXPECT_EQ(normalized("select a from t where b = $2 and c = 'x' and d = $1"),
              "select a from t where b = $2 and c = $3 and d = $1");
}

TEST(FactsOfText, a_constant_that_touches_a_word_does_not_in_the_normalized_text) {
    EXPECT_EQ(normalized("select'x'from t where'y'='z'and a"), "select $1 from t where $2=$3 and a");
}

TEST(FactsOfText, comments_and_blanks_are_one_space_in_the_normalized_text) {
    EXPECT_EQ(normalized("/* secret */ select  a,\n\tb -- 'secret'\nfrom/* /* x */ */t; "), "select a, b from t;");
}

TEST(FactsOfText, texts_that_differ_in_constants_have_one_fingerprint) {
    const std::uint64_t known = fingerprint("select a from t where b = 1");
    EXPECT_NE(known, 0U);
    EXPECT_EQ(fingerprint("SELECT a /* x */ FROM t WHERE b = 'y' "), known);
    EXPECT_NE(fingerprint("select a from t where c = 1"), known);
}

TEST(FactsOfText, long_texts_are_read_to_their_end) {
    const std::string list = "select a from t where b in (1" + repeated(", 2", 5000) + ") and c";
    EXPECT_EQ(describe(read_facts(list, conforming)), "select; t:r; t.a t.b t.c; no-limit");
    const std::string many = repeated("select 1;", 1800) + "delete from t";
    EXPECT_EQ(describe(read_facts(many, conforming)), "delete, select; t:rw; no-where writes 1801-statements");
    const std::string comment = "/*" + repeated("-", 16000) + "*/ delete from t where '" + repeated("=", 200) + "' = a";
    EXPECT_EQ(describe(read_facts(comment, conforming)), "delete; t:rw; t.a; writes");
}

TEST(FactsOfText, many_columns_of_many_relations_are_no_product) {
    std::string from = "t0";
    for (int i = 1; i < 1500; ++i) from += ",t" + std::to_string(i);
    const auto read = read_facts("select *" + repeated(",*", 3000) + " from " + from, conforming);
    ASSERT_TRUE(std::holds_alternative<Facts>(read));
    EXPECT_EQ(std::get<Facts>(read).columns.size(), 1500U);
}

}  // namespace
}  // namespace pgsluice::sql
