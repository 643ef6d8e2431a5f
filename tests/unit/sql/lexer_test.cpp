#include "lexer.hpp"

#include <gtest/gtest.h>
#include <pg_query.h>

#include <string>
#include <utility>
#include <vector>

namespace pgsluice::sql {
namespace {

using enum TokenKind;
using Tokens = std::vector<std::pair<TokenKind, std::string>>;

Tokens tokens_of(ByteView text, bool standard_conforming_strings = true) {
    Lexer lexer(text, {.standard_conforming_strings = standard_conforming_strings});
    Tokens tokens;
    while (true) {
        const Token token = lexer.next();
        if (token.kind == end) return tokens;
        tokens.emplace_back(token.kind, token.text);
        if (token.kind == refused) return tokens;
    }
}

bool is_refused(ByteView text, bool standard_conforming_strings = true) {
    const Tokens tokens = tokens_of(text, standard_conforming_strings);
    return !tokens.empty() && tokens.back().first == refused;
}

TEST(Lexer, cuts_words_at_what_goes_on_in_none) {
    EXPECT_EQ(tokens_of("select a1$b,_c.\xC3\xA4 from\tT"), (Tokens{{word, "select"},
                                                                    {word, "a1$b"},
                                                                    {symbol, ","},
                                                                    {word, "_c"},
                                                                    {symbol, "."},
                                                                    {word, "\xC3\xA4"},
                                                                    {word, "from"},
                                                                    {word, "T"}}));
}

TEST(Lexer, leaves_out_blanks_and_comments) {
    EXPECT_EQ(tokens_of(" \t\r\n\fa--b\rc/*d/*e*/*f/**/**/g --h"), (Tokens{{word, "a"}, {word, "c"}, {word, "g"}}));
    EXPECT_EQ(tokens_of("a/*/*x*/*/b"), (Tokens{{word, "a"}, {word, "b"}}));
    EXPECT_EQ(tokens_of("a\vb"), (Tokens{{word, "a"}, {unknown, "\v"}, {word, "b"}}));
    EXPECT_TRUE(is_refused("a /* b"));
    EXPECT_TRUE(is_refused("a /*/* b */"));
    EXPECT_TRUE(is_refused("/*/"));
}

TEST(Lexer, keeps_quoted_identifiers_whole) {
    EXPECT_EQ(tokens_of(R"("a""b -- c"d U&"x"u&"y" u & "z")"), (Tokens{{quoted_identifier, R"("a""b -- c")"},
                                                                       {word, "d"},
                                                                       {unicode_identifier, "U&\"x\""},
                                                                       {unicode_identifier, "u&\"y\""},
                                                                       {word, "u"},
                                                                       {symbol, "&"},
                                                                       {quoted_identifier, "\"z\""}}));
    for (const char* text : {"\"\"", "U&\"\"", "\"a", "\"a\"\"", "U&\"a"}) EXPECT_TRUE(is_refused(text)) << text;
}

TEST(Lexer, knows_the_kinds_of_strings) {
    EXPECT_EQ(tokens_of("'it''s' E'a\\'b' e'' b'01' X'1F' N'x' n 'x' U&'d' ab'c'"), (Tokens{{string, "'it''s'"},
                                                                                            {string, "E'a\\'b'"},
                                                                                            {string, "e''"},
                                                                                            {bit_string, "b'01'"},
                                                                                            {hex_string, "X'1F'"},
                                                                                            {national, "N"},
                                                                                            {string, "'x'"},
                                                                                            {word, "n"},
                                                                                            {string, "'x'"},
                                                                                            {unicode_string, "U&'d'"},
                                                                                            {word, "ab"},
                                                                                            {string, "'c'"}}));
    EXPECT_EQ(tokens_of("b'0''1'"), (Tokens{{bit_string, "b'0'"}, {string, "'1'"}}));
    EXPECT_EQ(tokens_of("U&'a' UESCAPE '!'"), (Tokens{{unicode_string, "U&'a'"}, {word, "UESCAPE"}, {string, "'!'"}}));
    for (const char* text : {"'a", "'a''", "E'a\\'", "E'\\", "b'1", "x'", "U&'a", "n'a"}) {
        EXPECT_TRUE(is_refused(text)) << text;
    }
}

TEST(Lexer, reads_backslashes_as_the_server_is_set) {
    EXPECT_EQ(tokens_of(R"('a\' b)"), (Tokens{{string, R"('a\')"}, {word, "b"}}));
    EXPECT_EQ(tokens_of(R"('a\' b' c)", false), (Tokens{{string, R"('a\' b')"}, {word, "c"}}));
    EXPECT_EQ(tokens_of(R"(E'a\\' b)", false), (Tokens{{string, R"(E'a\\')"}, {word, "b"}}));
    EXPECT_TRUE(is_refused(R"('a\')", false));
    EXPECT_TRUE(is_refused("U&'a'", false));
    EXPECT_EQ(tokens_of("U&\"a\"", false), (Tokens{{unicode_identifier, "U&\"a\""}}));
}

TEST(Lexer, continues_a_string_on_another_line) {
    for (const char* text : {"'a'\n'b'", "'a' \r\n\t 'b'", "'a'--c\n'b'", "'a' --c\n--d\n\n 'b'", "e'a'\n'\\'b'",
                             "'a'\n'b'\n'c'", "U&'a'\n'b'"}) {
        EXPECT_EQ(tokens_of(text).size(), 1U) << text;
        EXPECT_EQ(tokens_of(text).front().second, text);
    }
    EXPECT_EQ(tokens_of("b'0'\n'1'"), (Tokens{{bit_string, "b'0'\n'1'"}}));
    for (const char* text : {"'a' 'b'", "'a'\n/**/'b'", "'a'/*\n*/'b'", "'a'\nE'b'", "'a'\n-'b'"}) {
        const Tokens tokens = tokens_of(text);
        EXPECT_GE(tokens.size(), 2U) << text;
        EXPECT_EQ(tokens.front().second, "'a'") << text;
    }
}

TEST(Lexer, ends_a_dollar_quote_at_its_own_tag) {
    EXPECT_EQ(tokens_of("$$a'$b$$ $x1$ $x$ $$ $x1$ y"),
              (Tokens{{string, "$$a'$b$$"}, {string, "$x1$ $x$ $$ $x1$"}, {word, "y"}}));
    EXPECT_EQ(tokens_of("a$$b"), (Tokens{{word, "a$$b"}}));
    EXPECT_EQ(tokens_of("$a b"), (Tokens{{unknown, "$"}, {word, "a"}, {word, "b"}}));
    EXPECT_EQ(tokens_of("$a$b$ $a$"), (Tokens{{string, "$a$b$ $a$"}}));
    for (const char* text : {"$$a", "$a$ $b$", "$a$ $A$", "$$ $"}) EXPECT_TRUE(is_refused(text)) << text;
}

TEST(Lexer, tells_integers_from_other_numbers) {
    EXPECT_EQ(tokens_of("0 2147483647 0002147483647 2147483648 -1"), (Tokens{{integer, "0"},
                                                                             {integer, "2147483647"},
                                                                             {integer, "0002147483647"},
                                                                             {numeric, "2147483648"},
                                                                             {symbol, "-"},
                                                                             {integer, "1"}}));
    EXPECT_EQ(tokens_of(".5 5. 1.5e10 1E-2 1.e+3"),
              (Tokens{{numeric, ".5"}, {numeric, "5."}, {numeric, "1.5e10"}, {numeric, "1E-2"}, {numeric, "1.e+3"}}));
    EXPECT_EQ(tokens_of("1..2 1...5 1.5.5"), (Tokens{{integer, "1"},
                                                     {symbol, ".."},
                                                     {integer, "2"},
                                                     {integer, "1"},
                                                     {symbol, ".."},
                                                     {numeric, ".5"},
                                                     {numeric, "1.5"},
                                                     {numeric, ".5"}}));
    for (const char* text : {"123abc", "1e", "1e+", "1.5e-", "1.a", "1_000", "0x1F", "1e5e", "1\xC3\xA4"}) {
        EXPECT_TRUE(is_refused(text)) << text;
    }
}

TEST(Lexer, knows_parameters) {
    EXPECT_EQ(tokens_of("$1$2 $99999999999999999999"),
              (Tokens{{parameter, "$1"}, {parameter, "$2"}, {parameter, "$99999999999999999999"}}));
    EXPECT_EQ(tokens_of("$"), (Tokens{{unknown, "$"}}));
    EXPECT_TRUE(is_refused("$1a"));
}

TEST(Lexer, cuts_operators_as_long_as_they_go) {
    EXPECT_EQ(tokens_of("a<=b=-1"),
              (Tokens{{word, "a"}, {symbol, "<="}, {word, "b"}, {symbol, "="}, {symbol, "-"}, {integer, "1"}}));
    EXPECT_EQ(tokens_of("*-+ @- ->> ~-- x"),
              (Tokens{{symbol, "*"}, {symbol, "-"}, {symbol, "+"}, {symbol, "@-"}, {symbol, "->>"}, {symbol, "~"}}));
    EXPECT_EQ(tokens_of("*-/*a*/1 #/*/**/*/-"),
              (Tokens{{symbol, "*"}, {symbol, "-"}, {integer, "1"}, {symbol, "#"}, {symbol, "-"}}));
    EXPECT_EQ(tokens_of("a::b:=c..:[1:2];"), (Tokens{{word, "a"},
                                                     {symbol, "::"},
                                                     {word, "b"},
                                                     {symbol, ":="},
                                                     {word, "c"},
                                                     {symbol, ".."},
                                                     {symbol, ":"},
                                                     {symbol, "["},
                                                     {integer, "1"},
                                                     {symbol, ":"},
                                                     {integer, "2"},
                                                     {symbol, "]"},
                                                     {symbol, ";"}}));
    EXPECT_FALSE(is_refused(std::string(63, '~')));
    EXPECT_TRUE(is_refused(std::string(64, '~')));
    EXPECT_FALSE(is_refused(std::string(64, '+')));
}

TEST(Lexer, signs_at_the_end_of_a_run_are_tokens_by_themselves) {
    EXPECT_EQ(tokens_of("=+-+a"), (Tokens{{symbol, "="}, {symbol, "+"}, {symbol, "-"}, {symbol, "+"}, {word, "a"}}));
    EXPECT_EQ(tokens_of("+-+/**/+@-"), (Tokens{{symbol, "+"}, {symbol, "-"}, {symbol, "+"}, {symbol, "+@-"}}));
    EXPECT_EQ(tokens_of("+-+--+\n-*-+"),
              (Tokens{{symbol, "+"}, {symbol, "-"}, {symbol, "+"}, {symbol, "-*"}, {symbol, "-"}, {symbol, "+"}}));
}

bool is_parsed(const std::string& text) {
    const PgQueryParseResult result = pg_query_parse(text.c_str());
    const bool is_parsed = result.error == nullptr;
    pg_query_free_parse_result(result);
    return is_parsed;
}

TEST(WithoutComments, leaves_everything_else_where_it_is) {
    EXPECT_EQ(without_comments("a--b\n/*c*/'/*d*/'\n", {}), "a         '/*d*/' ");
    EXPECT_EQ(without_comments("'a' --b\n 'c'--d", {}), "'a'    \n 'c'   ");
    EXPECT_EQ(without_comments("'a'--b", {}), "'a'   ");
    EXPECT_EQ(without_comments("'a'/**/\n'b'", {}), "'a'     'b'");
    EXPECT_EQ(without_comments("", {}), "");
    EXPECT_EQ(without_comments("a /*", {}), std::nullopt);
}

TEST(WithoutComments, makes_texts_parse_that_libpg_query_stumbles_over) {
    for (const char* text :
         {"select a not /**/ in (1) from t", "select a from t order by a nulls -- x\n first", "select 'a' -- x\n 'b'",
          "select * from f() with /**/ ordinality", "select a from u&\"b\" /**/ uescape '!'"}) {
        EXPECT_FALSE(is_parsed(text)) << text;
        EXPECT_TRUE(is_parsed(without_comments(text, {}).value_or("("))) << text;
    }
}

}  // namespace
}  // namespace pgsluice::sql
