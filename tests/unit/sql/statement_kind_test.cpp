#include <pgsluice/sql/statement_kind.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace pgsluice::sql {
namespace {

Kinds kinds(std::string_view word) {
    const std::optional<Kinds> found = kinds_named(word);
    EXPECT_TRUE(found.has_value()) << word;
    return found.value_or(Kinds());
}

bool has(std::string_view group, std::string_view kind) {
    return (kinds(group) & kinds(kind)).any();
}

TEST(StatementKind, each_name_is_one_bit_of_its_own) {
    Kinds all;
    for (std::size_t i = 0; i < kind_names().size(); ++i) {
        const Kinds one = kinds(kind_names()[i]);
        EXPECT_TRUE(one.count() == 1 && one.test(i)) << kind_names()[i];
        all |= one;
    }
    EXPECT_EQ(all.count(), kind_names().size());
    EXPECT_LE(kind_names().size(), all.size());
}

TEST(StatementKind, no_group_is_a_kind_and_none_is_empty) {
    const std::set<std::string_view> names(kind_names().begin(), kind_names().end());
    for (const std::string_view group : group_names()) {
        EXPECT_EQ(names.count(group), 0U) << group;
        EXPECT_GT(kinds(group).count(), 1U) << group;
    }
}

TEST(StatementKind, case_does_not_matter) {
    EXPECT_EQ(kinds("CREATE TABLE"), kinds("create table"));
    EXPECT_EQ(kinds("Ddl"), kinds("ddl"));
}

TEST(StatementKind, other_words_for_a_kind_are_taken) {
    EXPECT_EQ(kinds("truncate"), kinds("truncate table"));
    EXPECT_EQ(kinds("start transaction"), kinds("begin"));
    EXPECT_EQ(kinds("create user"), kinds("create role"));
    EXPECT_EQ(kinds("copy"), kinds("copy from") | kinds("copy to"));
}

TEST(StatementKind, unknown_words_name_nothing) {
    for (const char* word : {"", "selec", "create", "table"}) {
        EXPECT_EQ(kinds_named(word).has_value(), std::string_view(word) == "create") << word;
    }
}

TEST(StatementKind, writing_is_changing_data_or_schema) {
    for (const char* kind : {"insert", "update", "delete", "merge", "truncate", "copy from", "create table",
                             "create table as", "select into", "drop table", "alter role", "grant", "comment"}) {
        EXPECT_TRUE(has("write", kind)) << kind;
    }
    for (const char* kind :
         {"select", "copy to", "explain", "begin", "set", "show", "call", "do", "execute", "vacuum"}) {
        EXPECT_FALSE(has("write", kind)) << kind;
    }
}

TEST(StatementKind, ddl_is_what_log_statement_calls_so) {
    for (const char* kind : {"create index", "select into", "drop owned", "revoke", "security label", "cluster",
                             "refresh materialized view", "import foreign schema", "reassign owned"}) {
        EXPECT_TRUE(has("ddl", kind)) << kind;
    }
    for (const char* kind : {"insert", "truncate", "reindex", "vacuum", "lock table", "call"}) {
        EXPECT_FALSE(has("ddl", kind)) << kind;
    }
}

TEST(StatementKind, a_verb_is_all_its_objects) {
    EXPECT_TRUE(has("create", "create view"));
    EXPECT_TRUE(has("alter", "alter default privileges"));
    EXPECT_TRUE(has("drop", "drop database"));
    EXPECT_FALSE(has("create", "drop view"));
}

TEST(StatementKind, transactions_and_utility) {
    EXPECT_TRUE(has("transaction", "savepoint"));
    EXPECT_TRUE(has("transaction", "prepare transaction"));
    EXPECT_FALSE(has("transaction", "prepare"));
    EXPECT_FALSE(has("transaction", "set"));
    EXPECT_TRUE(has("utility", "vacuum"));
    EXPECT_TRUE(has("utility", "begin"));
    EXPECT_FALSE(has("utility", "merge"));
}

}  // namespace
}  // namespace pgsluice::sql
