#include <pgsluice/protocol/client_statements.hpp>

#include <gtest/gtest.h>

namespace pgsluice::protocol {
namespace {

class ClientStatementsTest : public testing::Test {
  protected:
    void give(ByteView name, StatementRef statement) {
        statements.add(name, std::move(statement), 7);
        statements.settle(name);
    }

    StatementCache cache{{1, 2}};
    ClientStatements statements;
    StatementRef one = cache.intern("select 1", ""), two = cache.intern("select 2", "");
};

TEST_F(ClientStatementsTest, a_name_stands_for_a_statement_from_its_parse_on) {
    EXPECT_EQ(statements.find("s"), nullptr);
    statements.add("s", one, 7);
    ASSERT_NE(statements.find("s"), nullptr);
    EXPECT_EQ(statements.find("s")->statement, one);
    EXPECT_EQ(statements.find("s")->batch, 7U);
    EXPECT_EQ(statements.size(), 1U);
}

TEST_F(ClientStatementsTest, a_name_that_is_settled_belongs_to_no_batch) {
    const std::string names[] = {"a", "b", "c", "d"};
    for (const auto& name : names) statements.add(name, one, 7);
    for (const auto& name : names) {
        EXPECT_EQ(statements.find(name)->batch, 7U);
        statements.settle(name);
        EXPECT_EQ(statements.find(name)->batch, 0U);
    }
}

TEST_F(ClientStatementsTest, a_name_that_is_taken_away_is_unknown_and_others_stay) {
    give("s", one);
    give("t", one);
    statements.remove("s");
    EXPECT_EQ(statements.find("s"), nullptr);
    EXPECT_EQ(statements.find("t")->statement, one);
}

TEST_F(ClientStatementsTest, a_name_given_again_stands_for_the_newer_statement) {
    give("s", one);
    statements.add("s", two, 7);
    EXPECT_EQ(statements.find("s")->statement, two);
    EXPECT_EQ(statements.find("s")->batch, 7U);
    EXPECT_EQ(statements.size(), 1U);
}

TEST_F(ClientStatementsTest, names_are_bytes_and_tell_case_apart) {
    const ByteView zero("a\0b", 3);
    give("s", one);
    give(zero, two);
    EXPECT_EQ(statements.find("S"), nullptr);
    EXPECT_EQ(statements.find("a"), nullptr);
    EXPECT_EQ(statements.find(zero)->statement, two);
}

TEST_F(ClientStatementsTest, tells_which_names_are_known) {
    give("s", one);
    give("t", two);
    const auto known = statements.known_of({"t", "u", "S", "s"});
    ASSERT_EQ(known.size(), 2U);
    EXPECT_EQ(known[0].name, "t");
    EXPECT_EQ(known[0].statement, two);
    EXPECT_EQ(known[1].name, "s");
}

TEST_F(ClientStatementsTest, what_is_unknown_can_be_settled_and_removed) {
    statements.add("s", one, 7);
    statements.settle("t");
    statements.remove("t");
    EXPECT_EQ(statements.find("s")->batch, 7U);
    EXPECT_EQ(statements.size(), 1U);
}

TEST_F(ClientStatementsTest, a_name_keeps_its_statement_alive) {
    give("s", one);
    give("t", one);
    one.reset();
    two.reset();
    EXPECT_EQ(cache.size(), 1U);
    statements.remove("s");
    EXPECT_EQ(cache.size(), 1U);
    statements.forget_settled();
    EXPECT_EQ(cache.size(), 0U);
    EXPECT_EQ(statements.size(), 0U);
    EXPECT_EQ(statements.find("t"), nullptr);
}

TEST_F(ClientStatementsTest, what_is_sent_behind_a_deallocate_all_outlives_it) {
    give("before", one);
    statements.add("behind", two, 7);
    statements.forget_settled();
    EXPECT_EQ(statements.find("before"), nullptr);
    ASSERT_NE(statements.find("behind"), nullptr);
}

TEST_F(ClientStatementsTest, a_name_is_settled_by_the_last_answer_only) {
    statements.add("s", one, 7);
    statements.close("s", 7);
    statements.settle("s");
    EXPECT_EQ(statements.find("s")->batch, 7U);
    statements.add("s", two, 7);
    statements.settle("s");
    EXPECT_EQ(statements.find("s")->statement, two);
    EXPECT_EQ(statements.find("s")->batch, 7U);
    statements.settle("s");
    EXPECT_EQ(statements.find("s")->batch, 0U);
}

TEST_F(ClientStatementsTest, what_was_not_done_is_undone_newest_first) {
    give("s", one);
    statements.close("s", 8);
    statements.add("s", two, 8);
    statements.undo_add("s");
    EXPECT_TRUE(statements.find("s")->closed);
    EXPECT_EQ(statements.find("s")->batch, 8U);
    const auto told = std::make_shared<const Description>(Description{"", 7});
    statements.undo_close("s", one, told);
    EXPECT_EQ(statements.find("s")->told, told);
    EXPECT_EQ(statements.find("s")->statement, one);
    EXPECT_FALSE(statements.find("s")->closed);
    EXPECT_EQ(statements.find("s")->batch, 0U);
}

TEST_F(ClientStatementsTest, a_parse_undone_behind_a_close_that_was_done_leaves_nothing) {
    give("s", one);
    statements.close("s", 8);
    statements.add("s", two, 8);
    statements.settle("s");
    statements.undo_add("s");
    EXPECT_EQ(statements.find("s"), nullptr);
    EXPECT_EQ(statements.bytes(), 0U);
}

TEST_F(ClientStatementsTest, the_bytes_of_names_and_texts_are_counted) {
    EXPECT_EQ(statements.bytes(), 0U);
    statements.add("s", one, 7);
    const std::size_t with_one = statements.bytes();
    EXPECT_GE(with_one, one->text.size() + 1);
    give("t", two);
    EXPECT_GT(statements.bytes(), with_one);
    statements.forget_settled();
    EXPECT_EQ(statements.bytes(), with_one);
    statements.remove("s");
    EXPECT_EQ(statements.bytes(), 0U);
}

}  // namespace
}  // namespace pgsluice::protocol
