#include <pgsluice/protocol/server_statements.hpp>

#include <gtest/gtest.h>

#include <string>

namespace pgsluice::protocol {
namespace {

class ServerStatementsTest : public testing::Test {
  protected:
    StatementRef statement(const std::string& text) { return cache.intern(text, ""); }
    void add(const std::string& text, std::uint32_t batch) { statements.add(statement(text), batch); }
    void add(const std::string& text) { statements.restore(statement(text)); }
    void remove(const std::string& text) {
        statements.close(*statement(text), 7);
        statements.settle(*statement(text));
    }
    bool has(const std::string& text) {
        const auto* entry = statements.use(*statement(text));
        return entry != nullptr && !entry->closed;
    }
    // Least recently used first.
    std::string order() const {
        std::string texts;
        for (const auto& entry : statements.by_use()) texts += entry.statement->text;
        return texts;
    }

    StatementCache cache{{1, 2}};
    ServerStatements statements;
};

TEST_F(ServerStatementsTest, hold_what_was_added_in_the_batch_of_its_parse) {
    add("a", 7);
    ASSERT_TRUE(has("a"));
    EXPECT_EQ(statements.use(*statement("a"))->statement, statement("a"));
    EXPECT_EQ(statements.use(*statement("a"))->batch, 7U);
    EXPECT_FALSE(has("b"));
    EXPECT_EQ(statements.size(), 1U);
}

TEST_F(ServerStatementsTest, are_settled_one_by_one) {
    add("a", 7);
    add("b", 7);
    statements.settle(*statement("a"));
    statements.settle(*statement("unknown"));
    EXPECT_EQ(statements.use(*statement("a"))->batch, 0U);
    EXPECT_EQ(statements.use(*statement("b"))->batch, 7U);
}

TEST_F(ServerStatementsTest, are_ordered_by_their_last_use) {
    for (const char* text : {"a", "b", "c"}) add(text);
    EXPECT_EQ(order(), "abc");
    EXPECT_TRUE(has("a"));
    EXPECT_EQ(order(), "bca");
    EXPECT_TRUE(has("c"));
    EXPECT_TRUE(has("c"));
    EXPECT_EQ(order(), "bac");
    statements.settle(*statement("b"));
    EXPECT_EQ(order(), "bac") << "a reply is no use";
}

TEST_F(ServerStatementsTest, give_up_the_least_recently_used) {
    for (const char* text : {"a", "b", "c"}) add(text);
    EXPECT_TRUE(has("a"));
    EXPECT_EQ(statements.oldest(7)->text, "b");
    remove("b");
    EXPECT_EQ(statements.oldest(7)->text, "c");
    EXPECT_FALSE(has("b"));
    EXPECT_TRUE(has("a"));
    EXPECT_EQ(statements.size(), 2U);
}

TEST_F(ServerStatementsTest, give_up_what_nobody_will_use_before_all_others) {
    for (const char* text : {"a", "b", "c"}) add(text);
    statements.retire(*statement("c"));
    statements.retire(*statement("unknown"));
    EXPECT_EQ(order(), "cab");
    EXPECT_EQ(statements.oldest(7)->text, "c");
    statements.close(*statement("c"), 7);
    statements.retire(*statement("c"));
    EXPECT_EQ(order(), "ab");
}

TEST_F(ServerStatementsTest, take_back_what_was_not_closed_as_the_newest) {
    for (const char* text : {"a", "b"}) add(text);
    statements.close(*statement("a"), 7);
    EXPECT_EQ(order(), "b");
    statements.undo_close(statement("a"));
    EXPECT_EQ(order(), "ba");
    EXPECT_TRUE(has("a"));
}

TEST_F(ServerStatementsTest, are_settled_by_the_last_answer_only) {
    add("a", 7);
    statements.close(*statement("a"), 7);
    add("a", 7);
    statements.settle(*statement("a"));
    statements.settle(*statement("a"));
    EXPECT_EQ(statements.use(*statement("a"))->batch, 7U);
    statements.settle(*statement("a"));
    EXPECT_EQ(statements.use(*statement("a"))->batch, 0U);
    EXPECT_EQ(order(), "a");
}

TEST_F(ServerStatementsTest, that_are_closed_are_unsettled_until_the_answer) {
    add("a");
    statements.close(*statement("a"), 7);
    EXPECT_FALSE(has("a"));
    ASSERT_NE(statements.use(*statement("a")), nullptr);
    EXPECT_EQ(statements.use(*statement("a"))->batch, 7U);
    statements.settle(*statement("a"));
    EXPECT_EQ(statements.use(*statement("a")), nullptr);
}

TEST_F(ServerStatementsTest, give_up_nothing_that_an_earlier_batch_decides_about) {
    add("a", 7);
    EXPECT_EQ(statements.oldest(8), nullptr);
    add("b", 8);
    EXPECT_EQ(statements.oldest(8)->text, "b");
    statements.settle(*statement("a"));
    EXPECT_EQ(statements.oldest(8)->text, "a");
}

TEST_F(ServerStatementsTest, undo_newest_first) {
    add("a");
    statements.close(*statement("a"), 7);
    add("a", 7);
    statements.undo_add(*statement("a"));
    EXPECT_FALSE(has("a"));
    statements.undo_close(statement("a"));
    EXPECT_TRUE(has("a"));
    EXPECT_EQ(statements.use(*statement("a"))->batch, 0U);
}

TEST_F(ServerStatementsTest, forget_what_is_removed_and_keep_the_rest) {
    for (const char* text : {"a", "b", "c"}) add(text);
    remove("b");
    remove("unknown");
    EXPECT_EQ(order(), "ac");
    EXPECT_FALSE(has("b"));
    EXPECT_TRUE(has("a"));
}

TEST_F(ServerStatementsTest, keep_statements_alive_until_they_are_forgotten) {
    for (const char* text : {"a", "b", "c"}) add(text);
    EXPECT_EQ(cache.size(), 3U);
    remove("a");
    EXPECT_EQ(cache.size(), 2U);
    statements.clear();
    EXPECT_EQ(cache.size(), 0U);
    EXPECT_EQ(statements.size(), 0U);
    EXPECT_FALSE(has("c"));
}

}  // namespace
}  // namespace pgsluice::protocol
