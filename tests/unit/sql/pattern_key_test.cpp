#include "pattern_key.hpp"

#include <gtest/gtest.h>
#include <pg_query.h>

#include <optional>
#include <string>

namespace pgsluice::sql {
namespace {

std::optional<std::string> key_of(ByteView text, bool standard_conforming_strings = true) {
    PatternKey key;
    if (!key.build(text, {.standard_conforming_strings = standard_conforming_strings})) return std::nullopt;
    return std::string(key.bytes());
}

bool has_values(ByteView text) {
    PatternKey key;
    return key.build(text, {}) && key.has_values();
}

// Empty where the text does not parse.
std::string fingerprint_of(const char* text) {
    const PgQueryFingerprintResult result = pg_query_fingerprint(text);
    std::string fingerprint = result.error == nullptr ? result.fingerprint_str : "";
    pg_query_free_fingerprint_result(result);
    return fingerprint;
}

struct Pair {
    const char* a;
    const char* b;
};

TEST(PatternKey, is_shared_by_texts_that_differ_in_values) {
    for (const auto& [a, b] :
         {Pair{"select * from t where id = 17", "select * from t where id = 18"},
          Pair{"select 'a', b'0', x'F', 1.5, U&'a'", "select 'it''s', b'11', x'', 1e9, u&'\\0061'"},
          Pair{"select $$a$$", "select E'\\n'"},
          Pair{"insert into t values (1, 'a'), (2, 'b')", "insert into t values (3, ''), (4, 'x')"},
          Pair{"with a as (select 1) update t set x = 2", "with a as (select 2) update t set x = 1"},
          Pair{"set application_name = 'a'", "set application_name = 'b'"},
          Pair{"execute p(1, 'a')", "execute p(2, 'b')"},
          Pair{"(select 1) union (select 2)", "(select 3) union (select 4)"},
          Pair{"select * from t where id = any(array[1])", "select * from t where id = any(array[2])"},
          Pair{"select t.a from t where b[c] = 5", "select t.a from t where b[c] = 6"},
          Pair{"select n'a'", "select N'b'"}}) {
        ASSERT_TRUE(key_of(a));
        EXPECT_EQ(key_of(a), key_of(b)) << a;
        EXPECT_FALSE(has_values(a)) << a;
        EXPECT_NE(fingerprint_of(a), "") << a;
        EXPECT_EQ(fingerprint_of(a), fingerprint_of(b)) << a;
    }
}

TEST(PatternKey, is_shared_by_texts_that_differ_in_blanks_and_comments) {
    EXPECT_EQ(key_of("select a,b from t"), key_of(" select/* x */a , b\n--y\nfrom\tt /**/"));
    EXPECT_EQ(key_of("fetch 10 from c"), key_of("fetch  10 /* ten */ from c"));
    EXPECT_EQ(key_of(""), key_of(" /* nothing */ "));
}

TEST(PatternKey, differs_where_tokens_do) {
    for (const auto& [a, b] : {Pair{"select 1", "select 1.5"},
                               Pair{"select 1", "select 2147483648"},
                               Pair{"select 1", "select '1'"},
                               Pair{"select b'1'", "select x'1'"},
                               Pair{"select 'a'", "select u&'a'"},
                               Pair{"select 1", "select -1"},
                               Pair{"select 1", "select $1"},
                               Pair{"select $1", "select $2"},
                               Pair{"select n'a'", "select n 'a'"},
                               Pair{"select ab", "select a b"},
                               Pair{"select a", "select \"a\""},
                               Pair{"select a", "select A"},
                               Pair{"select \"a b\"", "select \"a\" b"},
                               Pair{"select (1)", "select 1"},
                               Pair{"select 1", "select 1;"},
                               Pair{"select a<=-1", "select a<= -1 -1"},
                               Pair{"select a < = 1", "select a <= 1"},
                               Pair{"select \"\x01\"", "select \"\x02\""},
                               Pair{"select 1, 2", "select 1"},
                               Pair{"select * from t limit 5", "select * from t limit null"}}) {
        ASSERT_TRUE(key_of(a)) << a;
        EXPECT_NE(key_of(a), key_of(b)) << a << " and " << b;
    }
}

TEST(PatternKey, keeps_values_that_facts_depend_on) {
    for (const auto& [a, b] :
         {Pair{"fetch 10 from c", "fetch 20 from c"}, Pair{"notify c, 'a'", "notify c, 'b'"},
          Pair{"explain (analyze 0) select 1", "explain (analyze 1) select 1"},
          Pair{"select 1; notify c, 'a'", "select 1; notify c, 'b'"},
          Pair{"select a::float(10) from t", "select a::float(30) from t"},
          Pair{"select a::int[3] from t", "select a::int[4] from t"},
          Pair{"select a::int array[3] from t", "select a::int array[4] from t"},
          Pair{"select a::numeric(5)[3] from t", "select a::numeric(5)[4] from t"},
          Pair{"select a::float[3] from t", "select a::float[4] from t"},
          Pair{"select * from u&\"d!0061t\" uescape '!'", "select * from u&\"d!0061t\" uescape '?'"},
          Pair{"select a::Float /* of */ ( 10 ) from t", "select a::Float /* of */ ( 30 ) from t"}}) {
        ASSERT_TRUE(key_of(a)) << a;
        EXPECT_NE(key_of(a), key_of(b)) << a;
        EXPECT_TRUE(has_values(a)) << a;
        EXPECT_NE(fingerprint_of(a), fingerprint_of(b)) << a;
    }
}

TEST(PatternKey, keeps_values_behind_a_statement_that_keeps_them) {
    EXPECT_NE(key_of("notify c; select 1"), key_of("notify c; select 2"));
    EXPECT_EQ(key_of(";;select 1; ; select 2;"), key_of(";;select 2; ; select 1;"));
}

TEST(PatternKey, is_none_of_what_no_lexer_accepts) {
    for (const char* text :
         {"select 'a", "select \"a", "select /* a", "select 1x", "select {", "select $ a", "select $$"}) {
        EXPECT_FALSE(key_of(text)) << text;
        EXPECT_EQ(fingerprint_of(text), "") << text;
    }
    EXPECT_FALSE(key_of(ByteView("select \"a\0b\"", 12)));
}

TEST(PatternKey, reads_strings_as_the_server_does) {
    EXPECT_EQ(key_of(R"(select 'a\' b')", false), key_of("select 'c'", false));
    EXPECT_FALSE(key_of(R"(select 'a\' b')"));
}

TEST(PatternKey, has_room_for_the_longest) {
    PatternKey key;
    for (const char* text : {"(", "((((((((((((((((", "notify a,'a'''''"}) EXPECT_TRUE(key.build(text, {}));
    const std::size_t before = key.memory();
    EXPECT_TRUE(key.build("select 1", {}));
    EXPECT_EQ(key.memory(), before);
    key.release();
    EXPECT_EQ(key.memory(), 0U);
    EXPECT_TRUE(key.build("select 1", {}));
}

}  // namespace
}  // namespace pgsluice::sql
