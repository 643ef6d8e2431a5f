#include <pgsluice/sql/statement_names.hpp>

#include <gtest/gtest.h>

namespace pgsluice::sql {
namespace {

TEST(StatementNames, are_spoken_of_by_these) {
    for (const char* text :
         {"execute a", " EXECUTE a(1, 'x');", "prepare a as select 1", "Prepare a (int) as select $1;\n",
          "explain execute a", "EXPLAIN (analyze, costs off) Execute a(1)", "create temp table t as execute a(1)",
          "select 1; execute a", "EXECUTE a; copy t to stdout"}) {
        EXPECT_TRUE(names_statement(text)) << text;
    }
}

TEST(StatementNames, are_only_given_by_a_prepare) {
    EXPECT_TRUE(is_prepare(" Prepare a as select 1 ; "));
    EXPECT_FALSE(is_prepare("execute a"));
    EXPECT_FALSE(is_prepare("prepared"));
    EXPECT_FALSE(is_prepare("prepare a as select 1; execute b"));
}

TEST(StatementNames, are_not_spoken_of_by_others) {
    for (const char* text :
         {"", ";", "select 1", "select 'execute a'", "explain select 1", "create table t (a int)", "deallocate a",
          "grant execute on function f to ann", "select 1; select 2", "/* x */ execute a",
          // Nothing of ours may follow a COPY that reads.
          "execute a; copy t from stdin"}) {
        EXPECT_FALSE(names_statement(text)) << text;
    }
}

std::string named_in(ByteView text) {
    std::string names;
    for (const std::string& name : named_statements(text, {})) names += name + ";";
    return names;
}

TEST(StatementNames, stand_behind_execute_and_prepare) {
    EXPECT_EQ(named_in("execute s"), "s;");
    EXPECT_EQ(named_in("EXECUTE S(1)"), "s;");
    EXPECT_EQ(named_in("execute a; Execute b; execute a"), "a;b;");
    EXPECT_EQ(named_in("explain analyze execute \"my \"\"stmt\"('a\"b')"), "my \"stmt;");
    EXPECT_EQ(named_in("create table t as /* s1 */ execute -- s2\n s3"), "s3;");
    EXPECT_EQ(named_in("execute \"Upper\""), "Upper;");
    EXPECT_EQ(named_in("execute U&\"s\""), "s;");
    EXPECT_EQ(named_in("execute caf\u00e9; execute a$1"), "caf\u00e9;a$1;");
    EXPECT_EQ(named_in("prepare a (int) as select $1; execute a(1)"), "a;");
}

TEST(StatementNames, are_no_other_words_of_the_text) {
    EXPECT_EQ(named_in("execute find('orders', orders)"), "find;");
    EXPECT_EQ(named_in("execute s -- orders\n"), "s;");
    EXPECT_EQ(named_in("explain (analyze, costs off) execute s; select orders from find"), "s;");
    EXPECT_EQ(named_in("select 'execute'; execute 's'"), "");
}

TEST(StatementNames, are_found_in_what_a_block_runs) {
    EXPECT_EQ(named_in("do $x$ begin execute 'execute s1'; execute 'execute ''s2'''; end $x$; execute s3"), "s1;s3;");
    EXPECT_EQ(named_in("do 'begin execute ''execute s1''; end'"), "s1;");
}

TEST(StatementNames, are_none_in_what_no_server_runs) {
    EXPECT_EQ(named_in("execute \"s"), "");
    EXPECT_EQ(named_in(""), "");
    EXPECT_EQ(named_in("execute"), "");
}

TEST(StatementNames, may_be_many) {
    std::string text;
    for (int i = 0; i < 2000; ++i) text += "execute s" + std::to_string(i) + ';';
    EXPECT_EQ(named_statements(text, {}).size(), 2000U);
}

}  // namespace
}  // namespace pgsluice::sql
