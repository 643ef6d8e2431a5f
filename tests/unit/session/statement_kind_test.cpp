#include "statement_kind.hpp"

#include <gtest/gtest.h>

namespace pgsluice::session {
namespace {

std::string kind_of(ByteView text) {
    const auto read = sql::read_facts(text, {});
    const auto kind = statement_kind(std::get_if<sql::Facts>(&read));
    return std::string(metrics::names_of(kind)[static_cast<std::size_t>(kind)]);
}

TEST(StatementKind, is_what_the_statement_does) {
    EXPECT_EQ(kind_of("select 1"), "select");
    EXPECT_EQ(kind_of("insert into t values (1)"), "insert");
    EXPECT_EQ(kind_of("update t set a = 1"), "update");
    EXPECT_EQ(kind_of("delete from t"), "delete");
    EXPECT_EQ(kind_of("merge into t using s on true when matched then do nothing"), "merge");
    EXPECT_EQ(kind_of("copy t to stdout"), "copy");
    EXPECT_EQ(kind_of("call p()"), "call");
    EXPECT_EQ(kind_of("do 'x'"), "call");
    EXPECT_EQ(kind_of("begin"), "transaction");
    EXPECT_EQ(kind_of("savepoint a"), "transaction");
    EXPECT_EQ(kind_of("set a.b = 'c'"), "set");
    EXPECT_EQ(kind_of("discard all"), "set");
    EXPECT_EQ(kind_of("create index on t (a)"), "ddl");
    EXPECT_EQ(kind_of("grant select on t to u"), "ddl");
    EXPECT_EQ(kind_of("vacuum"), "other");
    EXPECT_EQ(kind_of(""), "other");
}

TEST(StatementKind, of_several_is_the_one_that_changes_most) {
    EXPECT_EQ(kind_of("with gone as (delete from t returning a) select a from gone"), "delete");
    EXPECT_EQ(kind_of("insert into s select a from t"), "insert");
    EXPECT_EQ(kind_of("begin; update t set a = 1; commit"), "update");
    EXPECT_EQ(kind_of("select 1; drop table t"), "ddl");
}

TEST(StatementKind, is_not_known_of_what_cannot_be_parsed) {
    EXPECT_EQ(kind_of("selec"), "not_parsed");
}

}  // namespace
}  // namespace pgsluice::session
