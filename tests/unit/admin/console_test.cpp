// A client of the console, message by message.
#include <pgsluice/admin/console.hpp>

#include <gtest/gtest.h>
#include <support/messages.hpp>

namespace pgsluice::admin {
namespace {

namespace client = test::client;
constexpr const char* ready = "ReadyForQuery I\n";

// A console in front of a process in which nothing happens.
class ConsoleTest : public testing::Test {
  protected:
    std::string ask(ByteView bytes, Role role = Role::admin) {
        Console console(role);
        Bytes in, out;
        for (const ByteView part : parts(bytes)) {
            in += part;
            drive(console, in, out);
        }
        return test::describe(out);
    }
    std::string ran;
    bool ended = false;
    bool byte_by_byte = false;
    View view;

  private:
    std::vector<ByteView> parts(ByteView bytes) const {
        if (!byte_by_byte) return {bytes};
        std::vector<ByteView> all;
        for (std::size_t i = 0; i < bytes.size(); ++i) all.push_back(bytes.substr(i, 1));
        return all;
    }
    void drive(Console& console, Bytes& in, Bytes& out) {
        while (true) {
            const Console::Action action = console.resume(in, out);
            if (std::holds_alternative<Console::NeedMore>(action)) return;
            if (std::holds_alternative<Console::Ended>(action)) {
                ended = true;
                return;
            }
            const Command& command = std::get<Console::Run>(action).command;
            ran += command.tag + ' ' + command.argument + '\n';
            if (command.verb == Verb::show)
                console.answer_table({view, config, "0.1.0", false}, out);
            else if (command.argument == "fails")
                console.answer_error(wire::error("22023", "no"), out);
            else
                console.answer_done(out);
        }
    }
    config::Config config;
};

const std::string version = "RowDescription \"version\"\nDataRow \"pgsluice 0.1.0\"\nCommandComplete \"SHOW\"\n";

TEST_F(ConsoleTest, answers_a_query) {
    EXPECT_EQ(ask(client::query("show version")), version + ready);
    EXPECT_EQ(ran, "SHOW version\n");
}

TEST_F(ConsoleTest, says_behind_all_else_since_when_a_client_has_its_server) {
    ClientView client;
    client.id = 7;
    view.clients = {client, client};
    view.clients[0].server = 1;
    view.clients[0].held_at = 5'000'000;
    const std::string answer = ask(client::query("show clients"));
    EXPECT_NE(answer.find("\"7\" \"1970-01-01 00:00:05 UTC\"\n"), std::string::npos) << answer;
    EXPECT_NE(answer.find("\"7\" \"\"\n"), std::string::npos) << answer;
}

TEST_F(ConsoleTest, answers_however_the_bytes_come) {
    const Bytes all = client::query("show version") + client::parse("s", "show version") + client::bind("p", "s") +
                      client::describe_portal("p") + client::execute("p") + client::sync() + client::query("reload");
    const std::string whole = ask(all);
    byte_by_byte = true;
    EXPECT_EQ(ask(all), whole);
}

TEST_F(ConsoleTest, answers_by_the_extended_protocol) {
    EXPECT_EQ(
        ask(client::parse("s", "show version") + client::describe_statement("s") + client::bind("", "s") +
            client::execute() + client::sync()),
        "ParseComplete\nParameterDescription\nRowDescription \"version\"\nBindComplete\nDataRow \"pgsluice 0.1.0\"\n"
        "CommandComplete \"SHOW\"\nReadyForQuery I\n");
}

TEST_F(ConsoleTest, has_room_for_the_unnamed_ones_however_many_names_are_taken) {
    Bytes names;
    for (int i = 0; i < 70; ++i) names += client::parse("s" + std::to_string(i), "show version") + client::sync();
    const std::string answers = ask(names + client::parse("", "show version") + client::bind() + client::execute());
    EXPECT_NE(answers.find("54000"), std::string::npos);
    EXPECT_TRUE(
        answers.ends_with("ParseComplete\nBindComplete\nDataRow \"pgsluice 0.1.0\"\nCommandComplete \"SHOW\"\n"))
        << answers.substr(answers.size() - 200);
}

TEST_F(ConsoleTest, portals_end_with_their_transaction) {
    Bytes portals = client::parse("s", "show version");
    for (int i = 0; i < 70; ++i) portals += client::bind("p" + std::to_string(i), "s") + client::sync();
    EXPECT_EQ(ask(portals).find("ErrorResponse"), std::string::npos);
    EXPECT_NE(ask(portals + client::execute("p69")).find("34000"), std::string::npos);
    const std::string kept = ask(client::query("begin") + client::parse("s", "show version") + client::bind("p", "s") +
                                 client::sync() + client::execute("p"));
    EXPECT_TRUE(kept.ends_with("DataRow \"pgsluice 0.1.0\"\nCommandComplete \"SHOW\"\n")) << kept;
}

TEST_F(ConsoleTest, describes_a_command_without_rows_as_such) {
    EXPECT_EQ(ask(client::parse("", "reload") + client::describe_statement() + client::sync()),
              "ParseComplete\nParameterDescription\nNoData\nReadyForQuery I\n");
}

TEST_F(ConsoleTest, skips_to_the_sync_behind_an_error) {
    EXPECT_EQ(ask(client::parse("", "nonsense") + client::bind() + client::execute() + client::query("reload") +
                  client::sync() + client::query("show version")),
              "ErrorResponse ERROR 42601 \"unknown command: nonsense\" H=\"SHOW HELP lists them.\" "
              "R=\"pgsluice\"\nReadyForQuery I\n" +
                  version + ready);
    EXPECT_EQ(ran, "SHOW version\n");
}

TEST_F(ConsoleTest, tells_why_a_command_has_failed) {
    EXPECT_EQ(ask(client::query("reconnect fails")),
              "ErrorResponse ERROR 22023 \"no\" R=\"pgsluice\"\nReadyForQuery I\n");
    EXPECT_EQ(ask(client::parse("", "reconnect fails") + client::bind() + client::execute() + client::execute() +
                  client::sync()),
              "ParseComplete\nBindComplete\nErrorResponse ERROR 22023 \"no\" R=\"pgsluice\"\nReadyForQuery I\n");
}

TEST_F(ConsoleTest, a_right_is_asked_by_every_way) {
    EXPECT_EQ(ask(client::parse("", "reload") + client::sync(), Role::stats),
              "ErrorResponse ERROR 42501 \"permission denied for reload\" H=\"Users of admin.console.stats_users may "
              "only look; "
              "admin.console.users may do everything.\" R=\"pgsluice\"\nReadyForQuery I\n");
    EXPECT_EQ(ran, "");
}

TEST_F(ConsoleTest, believes_with_a_driver_that_a_transaction_is_open) {
    EXPECT_EQ(ask(client::query("begin") + client::query("show timezone") + client::query("commit")),
              "CommandComplete \"BEGIN\"\nReadyForQuery T\nRowDescription \"timezone\"\nDataRow "
              "\"UTC\"\nCommandComplete \"SHOW\"\n"
              "ReadyForQuery T\nCommandComplete \"COMMIT\"\nReadyForQuery I\n");
}

TEST_F(ConsoleTest, runs_what_changes_a_key_and_bears_what_drivers_set) {
    EXPECT_EQ(ask(client::query("set query_timeout = 5") + client::query("set datestyle to iso")),
              std::string("CommandComplete \"SET\"\n") + ready + "CommandComplete \"SET\"\n" + ready);
    EXPECT_EQ(ran, "SET timeouts.query\n");
}

TEST_F(ConsoleTest, answers_an_empty_text) {
    EXPECT_EQ(ask(client::query("")), "EmptyQueryResponse\nReadyForQuery I\n");
}

TEST_F(ConsoleTest, ends_with_terminate_and_with_what_is_no_message) {
    ask(client::terminate());
    EXPECT_TRUE(ended);
    for (const Bytes& bytes :
         {client::message('!', ""), client::message('Q', Bytes(100'000, 'x')), client::password("x")}) {
        ended = false;
        ask(bytes);
        EXPECT_TRUE(ended);
    }
}

TEST_F(ConsoleTest, numbers_are_sent_in_binary_where_asked) {
    view.totals["app"].queries = 123'456'789;
    const Bytes bind = client::message('B', Bytes("\0\0\0\0\0\0\0\1\0\1", 10));
    const std::string told = ask(client::parse("", "show stats_totals") + bind + client::execute() + client::sync());
    // As numeric_send() writes it: three groups of four digits, the first of weight 2.
    EXPECT_NE(told.find(R"-(\x00\x03\x00\x02\x00\x00\x00\x00\x00\x01\x09)\x1a\x85)-"), std::string::npos) << told;
}

}  // namespace
}  // namespace pgsluice::admin
