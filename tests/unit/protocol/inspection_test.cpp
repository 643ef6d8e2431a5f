// What a server is asked between two transactions, and how its answer reads.
#include "ledger.hpp"

#include <pgsluice/protocol/inspection.hpp>

#include <chrono>
#include <string>

namespace pgsluice::protocol {
namespace {

namespace server = test::server;

class Inspection : public testing::Test {
  protected:
    std::string ask(const Question& question) {
        Bytes messages;
        append_inspection(messages, ledger.exchange, reserved, question);
        return test::describe_client(messages);
    }

    Ledger ledger;
    ReservedStatements reserved;
};

TEST_F(Inspection, is_one_statement_in_a_batch_of_its_own) {
    ask({});
    EXPECT_TRUE(reserved.inspect);
    EXPECT_EQ(ask({{"app.tenant", "a.b"}, true}),
              "Bind \"\" \"pgsluice_isolate\"\nExecute \"\" 0\n"
              "Bind \"\" \"pgsluice_inspect\" \"{\"app.tenant\",\"a.b\"}\" \"t\"\nExecute \"\" 0\nSync\n");
}

// To parse a SELECT takes a snapshot, which a deferrable transaction waits for.
TEST_F(Inspection, takes_no_snapshot_before_its_transaction_is_read_committed) {
    const std::string asked = ask({});
    EXPECT_TRUE(asked.starts_with("Close S \"pgsluice_isolate\"\nParse \"pgsluice_isolate\" \"" +
                                  std::string(isolation_text()) +
                                  "\"\nBind \"\" \"pgsluice_isolate\"\nExecute \"\" 0\n"))
        << asked;
}

TEST_F(Inspection, lifts_the_timeouts_before_it_looks) {
    ask({});
    const std::string asked = ask({{}, false, true});
    EXPECT_LT(asked.find("Bind \"\" \"pgsluice_isolate\""), asked.find("Parse \"pgsluice_lift\""));
    EXPECT_LT(asked.find("Bind \"\" \"pgsluice_lift\""), asked.find("Bind \"\" \"pgsluice_inspect\""));
}

TEST(Names, are_quoted_in_an_array) {
    EXPECT_EQ(array_of({}), "{}");
    EXPECT_EQ(array_of({"a.b c,{}", "d.\"e\\"}), R"({"a.b c,{}","d.\"e\\"})");
}

TEST(Answer, fails_where_the_sum_of_its_settings_is_too_large) {
    Answer answer;
    const std::string half(Answer::most_bytes / 2 - 3, 'x');
    EXPECT_TRUE(answer.add("s", "a.a", half));
    EXPECT_TRUE(answer.add("s", "a.b", half));
    EXPECT_FALSE(answer.failed());
    EXPECT_TRUE(answer.add("s", "a.c", ""));
    EXPECT_TRUE(answer.failed());
    EXPECT_TRUE(answer.settings().empty());
}

TEST(Answer, fails_where_its_settings_are_too_many) {
    Answer answer;
    for (std::size_t i = 0; i < Answer::most_settings; ++i) EXPECT_TRUE(answer.add("s", "a." + std::to_string(i), ""));
    EXPECT_TRUE(answer.add("s", "A.0", "of a name that it has"));
    EXPECT_FALSE(answer.failed());
    EXPECT_EQ(answer.find("A.17"), &answer.settings()[17]);
    EXPECT_TRUE(answer.add("s", "b", ""));
    EXPECT_TRUE(answer.failed());
    EXPECT_TRUE(answer.settings().empty());
}

// Made up by whoever has taken the name of our statement.
TEST(Answer, costs_no_more_than_its_rows) {
    Answer answer;
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < 200000; ++i) EXPECT_TRUE(answer.add("s", std::to_string(i % 100000), ""));
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(1));
    EXPECT_TRUE(answer.failed());
    EXPECT_TRUE(answer.settings().empty());
}

// What ends with a transaction; transaction_timeout, of PostgreSQL 17, does not.
TEST(InspectionText, leaves_out_no_setting_of_the_session) {
    const ByteView text = inspection_text();
    for (const char* of_transaction : {"transaction_isolation", "transaction_read_only", "transaction_deferrable"})
        EXPECT_NE(text.find(of_transaction), ByteView::npos) << of_transaction;
    EXPECT_EQ(text.find('~'), ByteView::npos) << "a pattern takes in names that are still to come";
}

TEST(Answer, tells_settings_and_pins) {
    Answer answer;
    EXPECT_TRUE(answer.add("s", "work_mem", "7168"));
    EXPECT_TRUE(answer.add("s", "role", "none"));
    EXPECT_TRUE(answer.add("p", "2", ""));
    EXPECT_EQ(answer.settings(), (std::vector<Parameter>{{"work_mem", "7168", false}}));
    EXPECT_NE(answer.find("Work_Mem"), nullptr);
    EXPECT_TRUE(answer.pins().has(Pin::listen));
    EXPECT_FALSE(answer.pins().has(Pin::cursor));
}

TEST(Answer, tells_no_role_where_that_is_not_what_a_session_begins_with) {
    Answer answer;
    EXPECT_TRUE(answer.add("s", "role", "none"));
    EXPECT_FALSE(answer.may_begin_with_role());
    EXPECT_TRUE(answer.add("r", "", ""));
    EXPECT_TRUE(answer.may_begin_with_role());
    answer.tell_no_role();
    EXPECT_EQ(answer.settings(), (std::vector<Parameter>{{"role", "none", false}}));
    Answer other;
    other.add("s", "role", "helper");
    other.tell_no_role();
    EXPECT_EQ(other.find("role")->value, "helper");
}

TEST(Answer, names_a_setting_once) {
    Answer answer;
    answer.add("s", "pg_trgm.limit", "1");
    answer.add("s", "pg_trgm.limit", "1");
    EXPECT_EQ(answer.settings().size(), 1U);
}

TEST(Answer, knows_a_row_that_is_none_of_ours) {
    Answer answer;
    EXPECT_FALSE(answer.add("p", "9", ""));
    EXPECT_FALSE(answer.add("p", "", ""));
    const auto body_of = [](const Bytes& message) { return ByteView(message).substr(wire::header_bytes); };
    EXPECT_FALSE(answer.add_row(body_of(server::row({"s", "work_mem"}))));
    EXPECT_FALSE(answer.add_row("no row"));
    EXPECT_TRUE(answer.add_row(body_of(server::row({"s", "work_mem", "1"}))));
}

}  // namespace
}  // namespace pgsluice::protocol
