// The unnamed statement: PostgreSQL keeps one for each session, and a server of ours has had many clients.
#include "statement_scripts.hpp"

#include <gtest/gtest.h>

namespace pgsluice::session {
namespace {

TEST(Unnamed, follows_its_client_to_another_server) {
    Script script = on_two_servers();
    script.client_sends(client::parse("", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_server("Parse \"\" \"A\"\nSync\n");
    hold_server(script, 1, 0);
    script.client_sends(run(""))
        .expect_to_server(1, "Parse \"\" \"A\"\nBind \"\" \"\"\nExecute \"\" 0\nSync\n")
        .server_sends(1, server::parse_complete() + answered("A"))
        .expect_to_client("ParseComplete\nReadyForQuery I\nBindComplete\nCommandComplete \"A\"\nReadyForQuery I\n");
    script.run();
}

TEST(Unnamed, of_another_client_is_never_bound) {
    Script script;
    script.add_client()
        .client_sends(client::parse("", "secret") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_server("Parse \"\" \"secret\"\nSync\n")
        .client_sends(1, run(""))
        .expect_to_server("Close S \"\"\nBind \"\" \"\"\nExecute \"\" 0\nSync\n")
        .server_sends(server::close_complete() + server::error("26000", "no") + server::ready())
        .expect_to_client(1, "ErrorResponse ERROR 26000 \"no\"\nReadyForQuery I\n");
    script.run();
}

TEST(Unnamed, is_destroyed_by_a_simple_query) {
    Script script;
    script.client_sends(client::parse("", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_server("Parse \"\" \"A\"\nSync\n")
        .expect_to_client("ParseComplete\nReadyForQuery I\n")
        .exchange(0, 0, "select 1")
        .client_sends(run(""))
        .expect_to_server("Close S \"\"\nBind \"\" \"\"\nExecute \"\" 0\nSync\n");
    script.run();
}

TEST(Unnamed, outlives_a_skipped_parse_of_another) {
    Script script;
    script.client_sends(client::parse("", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .client_sends(client::bind("", "nope") + client::parse("", "B") + client::sync())
        .server_sends(server::error("26000", "no") + server::ready())
        .expect_to_server("Parse \"\" \"A\"\nSync\nBind \"\" \"nope\"\nParse \"\" \"B\"\nSync\n")
        .client_sends(run(""))
        .expect_to_server("Parse \"\" \"A\"\nBind \"\" \"\"\nExecute \"\" 0\nSync\n");
    script.run();
}

TEST(Unnamed, is_destroyed_by_a_simple_query_whatever_becomes_of_the_batch_before) {
    Script script;
    script
        .client_sends(client::parse("", "A") + client::bind("", "nope") + client::parse("", "B") + client::sync() +
                      client::query("select 1") + run(""))
        .server_sends(server::parse_complete() + server::error("26000", "no") + server::ready() +
                      server::command_complete("SELECT 1") + server::ready())
        .expect_to_server(
            "Parse \"\" \"A\"\nBind \"\" \"nope\"\nParse \"\" \"B\"\nSync\nQuery \"select 1\"\n"
            "Close S \"\"\nBind \"\" \"\"\nExecute \"\" 0\nSync\n");
    script.run();
}

// The FunctionCall has an end of its own, and is skipped with what follows it all the same.
TEST(Unnamed, outlives_a_query_that_is_skipped_behind_a_function_call) {
    Script script;
    script
        .client_sends(client::parse("", "A") + client::bind("", "nope") + client::function_call(1) + client::query("B"))
        .server_sends(server::parse_complete() + server::error("26000", "no"))
        .then([](World& world) { world.server(0).take(); })
        .client_sends(client::sync())
        .expect_to_server("Sync\n")
        .server_sends(server::ready())
        .client_sends(client::bind() + client::sync())
        .expect_to_server("Bind \"\" \"\"\nSync\n");
    script.run();
}

TEST(Unnamed, is_gone_behind_a_parse_that_failed) {
    Script script;
    script.client_sends(client::parse("", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .client_sends(client::parse("", "broken") + client::sync())
        .server_sends(server::error("42601", "syntax error") + server::ready())
        .expect_to_server("Parse \"\" \"A\"\nSync\nParse \"\" \"broken\"\nSync\n")
        .client_sends(run(""))
        .expect_to_server("Close S \"\"\nBind \"\" \"\"\nExecute \"\" 0\nSync\n");
    script.run();
}

// The server might still have another client's.
TEST(Unnamed, is_not_bound_while_a_batch_that_is_unanswered_may_have_skipped_it) {
    Script script;
    script.client_sends(client::parse("", "A") + client::sync() + run(""))
        .expect_to_server("Parse \"\" \"A\"\nSync\n")
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_server("Bind \"\" \"\"\nExecute \"\" 0\nSync\n");
    script.run();
}

TEST(Unnamed, left_behind_by_a_skipped_close_is_nobodys) {
    Script script;
    script.add_client()
        .client_sends(client::parse("", "secret") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .client_sends(client::bind("", "nope") + client::close_statement("") + client::sync())
        .server_sends(server::error("26000", "no") + server::ready())
        .expect_to_server("Parse \"\" \"secret\"\nSync\nBind \"\" \"nope\"\nClose S \"\"\nSync\n")
        .client_sends(1, run(""))
        .expect_to_server("Close S \"\"\nBind \"\" \"\"\nExecute \"\" 0\nSync\n");
    script.run();
}

}  // namespace
}  // namespace pgsluice::session
