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

}  // namespace
}  // namespace pgsluice::sql
