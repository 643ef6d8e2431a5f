// Extended queries, pipelines and their errors through a whole session.
#include <gtest/gtest.h>
#include <support/script.hpp>

namespace pgsluice::session {
namespace {

using test::Script;
using test::World;
namespace client = test::client;
namespace server = test::server;

TEST(Pipeline, an_extended_query_goes_through_unchanged) {
    Script script;
    script.client_sends(client::extended("select $1", {"x"}) + client::sync())
        .expect_to_server("Parse \"\" \"select $1\"\nBind \"\" \"\" \"x\"\nDescribe P \"\"\nExecute \"\" 0\nSync\n")
        .server_sends(server::parse_complete() + server::bind_complete() + server::row_description({"a"}) +
                      server::row({"x"}) + server::command_complete("SELECT 1") + server::ready())
        .expect_to_client(
            "ParseComplete\nBindComplete\nRowDescription \"a\"\nDataRow \"x\"\nCommandComplete \"SELECT 1\"\n"
            "ReadyForQuery I\n");
    script.run();
}

TEST(Pipeline, a_flush_without_sync_keeps_the_server) {
    Script script;
    script.add_client()
        .client_sends(client::extended("update t set a = 1") + client::flush())
        .expect_to_server("Parse \"\" \"update t set a = 1\"\nBind \"\" \"\"\nDescribe P \"\"\nExecute \"\" 0\nFlush\n")
        .server_sends(server::parse_complete() + server::bind_complete() + server::no_data() +
                      server::command_complete("UPDATE 1"))
        .expect_to_client("ParseComplete\nBindComplete\nNoData\nCommandComplete \"UPDATE 1\"\n")
        .client_sends(1, client::query("select 2"))
        .expect_to_server("")
        .client_sends(client::sync())
        .expect_to_server("Sync\n")
        .server_sends(server::ready())
        .expect_to_client("ReadyForQuery I\n")
        .expect_to_server("Query \"select 2\"\n");
    script.run();
}

// Released at the first ReadyForQuery, it would be lent while this client's Parse stands in it.
TEST(Pipeline, messages_behind_a_sync_keep_the_server) {
    Script script;
    script.add_client()
        .client_sends(client::extended("a") + client::sync() + client::parse("", "b") + client::flush())
        .server_sends(server::parse_complete() + server::bind_complete() + server::no_data() +
                      server::command_complete("A") + server::ready())
        .client_sends(1, client::query("other"))
        .expect_to_server(
            "Parse \"\" \"a\"\nBind \"\" \"\"\nDescribe P \"\"\nExecute \"\" 0\nSync\nParse \"\" \"b\"\nFlush\n")
        .server_sends(server::parse_complete())
        .client_sends(client::bind() + client::execute() + client::sync())
        .expect_to_server("Bind \"\" \"\"\nExecute \"\" 0\nSync\n")
        .server_sends(server::bind_complete() + server::command_complete("B") + server::ready())
        .expect_to_client(
            "ParseComplete\nBindComplete\nNoData\nCommandComplete \"A\"\nReadyForQuery I\nParseComplete\n"
            "BindComplete\nCommandComplete \"B\"\nReadyForQuery I\n")
        .expect_to_server("Query \"other\"\n");
    script.run();
}

TEST(Pipeline, what_follows_an_error_is_dropped_up_to_the_sync) {
    Script script;
    script.client_sends(client::parse("", "broken") + client::flush())
        .expect_to_server("Parse \"\" \"broken\"\nFlush\n")
        .server_sends(server::error("42601", "syntax error"))
        .expect_to_client("ErrorResponse ERROR 42601 \"syntax error\"\n")
        .client_sends(client::bind() + client::execute() + client::query("skipped") + client::flush())
        .expect_to_server("")
        .client_sends(client::sync())
        .expect_to_server("Sync\n")
        .server_sends(server::ready())
        .expect_to_client("ReadyForQuery I\n")
        .exchange(0, 0, "select 1");
    script.run();
}

TEST(Pipeline, a_query_inside_a_failed_one_has_no_answer) {
    Script script;
    script
        .client_sends(client::parse("s", "broken") + client::query("skipped") + client::sync() + client::query("next"))
        .server_sends(server::error("42601", "syntax error") + server::ready() + server::command_complete("NEXT") +
                      server::ready())
        .expect_to_client(
            "ErrorResponse ERROR 42601 \"syntax error\"\nReadyForQuery I\nCommandComplete \"NEXT\"\n"
            "ReadyForQuery I\n")
        .expect([](World& world) { EXPECT_EQ(world.pools().gauge(metrics::ServerState::idle), 1); });
    script.run();
}

// A Query destroys the unnamed statement, unless it is skipped.
TEST(Pipeline, a_query_behind_an_unnamed_statement_of_an_open_batch_waits_for_its_answer) {
    Script script;
    script.client_sends(client::parse("", "broken") + client::query("skipped") + client::sync())
        .expect_to_server("Parse \"\" \"broken\"\nFlush\n")
        .server_sends(server::error("42601", "syntax error"))
        .expect_to_server("Sync\n")
        .server_sends(server::ready())
        .expect_to_client("ErrorResponse ERROR 42601 \"syntax error\"\nReadyForQuery I\n");
    script.run();
}

TEST(Pipeline, every_message_that_is_held_behind_an_open_batch_asks_for_its_answer) {
    Script script;
    const Bytes held = client::parse("", "broken") + client::query("skipped");
    for (int i = 0; i < 2; ++i) {
        script.client_sends(held)
            .expect_to_server("Parse \"\" \"broken\"\nFlush\n")
            .server_sends(server::error("42601", "syntax error"))
            .client_sends(client::sync())
            .expect_to_server("Sync\n")
            .server_sends(server::ready())
            .expect_to_client("ErrorResponse ERROR 42601 \"syntax error\"\nReadyForQuery I\n");
    }
    script.run();
}

TEST(Pipeline, a_suspended_portal_lives_in_its_transaction) {
    Script script;
    script.client_sends(client::query("begin"))
        .server_sends(server::command_complete("BEGIN") + server::ready('T'))
        .client_sends(client::parse("", "select") + client::bind("p", "") + client::execute("p", 1) + client::sync())
        .server_sends(server::parse_complete() + server::bind_complete() + server::row({"1"}) +
                      server::portal_suspended() + server::ready('T'))
        .client_sends(client::execute("p", 1) + client::close_portal("p") + client::sync())
        .expect_to_server(
            "Query \"begin\"\nParse \"\" \"select\"\nBind \"p\" \"\"\nExecute \"p\" 1\nSync\nExecute \"p\" 1\n"
            "Close P \"p\"\nSync\n")
        .server_sends(server::command_complete("SELECT 0") + server::close_complete() + server::ready('T'))
        .expect_to_client(
            "CommandComplete \"BEGIN\"\nReadyForQuery T\nParseComplete\nBindComplete\nDataRow \"1\"\nPortalSuspended\n"
            "ReadyForQuery T\nCommandComplete \"SELECT 0\"\nCloseComplete\nReadyForQuery T\n");
    script.run();
}

TEST(Pipeline, a_sync_without_anything_is_answered_without_a_server) {
    Script script;
    script.client_sends(client::sync() + client::flush() + client::sync())
        .expect_to_server("")
        .expect_to_client("ReadyForQuery I\nReadyForQuery I\n");
    script.run();
}

TEST(Pipeline, several_queries_at_once_are_answered_in_order) {
    Script script;
    script.client_sends(client::query("a") + client::query("b") + client::sync() + client::function_call(42))
        .expect_to_server("Query \"a\"\nQuery \"b\"\nSync\nFunctionCall 10 (and 10 more bytes)\n")
        .server_sends(server::command_complete("A") + server::ready() + server::command_complete("B") + server::ready())
        .expect([](World& world) { EXPECT_EQ(world.pools().gauge(metrics::ServerState::idle), 0); })
        .server_sends(server::ready() + server::function_call_response("7") + server::ready())
        .expect([](World& world) { EXPECT_EQ(world.pools().gauge(metrics::ServerState::idle), 1); })
        .expect_to_client(
            "CommandComplete \"A\"\nReadyForQuery I\nCommandComplete \"B\"\nReadyForQuery I\nReadyForQuery I\n"
            "FunctionCallResponse \"\\x00\\x00\\x00\\x017\"\nReadyForQuery I\n");
    script.run();
}

// The ledger is memory of a process that serves others too: a client that asks further and further ahead is heard again
// when something has been answered, whether or not it has ended its batch.
TEST(Pipeline, is_sent_ahead_of_its_answers_to_a_bounded_length) {
    constexpr std::size_t most = 16384;
    Bytes batch = client::parse("", "A"), answers = server::parse_complete();
    for (std::size_t i = 0; i < most + 100; ++i) batch += client::bind("", "");
    for (std::size_t i = 0; i < most / 2; ++i) answers += server::bind_complete();
    const auto owed = [](World& world) { return world.server(0).server->exchange().owed(); };
    Script script;
    script.client_sends(batch)
        .expect([&](World& world) {
            EXPECT_TRUE(world.client(0).peer.is_paused(Pause::ahead));
            EXPECT_EQ(owed(world), most);
            EXPECT_TRUE(world.server(0).take().ends_with(client::flush())) << "the server waits for no Sync";
        })
        .server_sends(answers)
        .expect([&](World& world) {
            EXPECT_FALSE(world.client(0).peer.is_paused(Pause::ahead));
            EXPECT_EQ(owed(world), most / 2 + 100);
            world.server(0).take(), world.client(0).peer.take();
        });
    script.run_whole_unbroken();
}

}  // namespace
}  // namespace pgsluice::session
