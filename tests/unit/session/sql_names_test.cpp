// SQL that speaks of statements which Parse messages have prepared, by the client's names.
#include "statement_scripts.hpp"

#include <gtest/gtest.h>

namespace pgsluice::session {
namespace {

const std::string lends = "Close S \"a\"\nParse \"a\" \"A\"\n";
const Bytes lent = server::close_complete() + server::parse_complete();

Script& prepare(Script& script) {
    return script.client_sends(client::parse("a", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_server(prepares("A") + "Sync\n")
        .expect_to_client("ParseComplete\nReadyForQuery I\n");
}

TEST(SqlNames, are_lent_to_a_query_that_executes_one) {
    Script script;
    prepare(script)
        .client_sends(client::query("execute a"))
        .expect_to_server(lends + "Query \"execute a\"\nClose S \"a\"\nSync\n")
        .server_sends(lent + server::command_complete("OK") + server::ready())
        .expect_to_client("CommandComplete \"OK\"\nReadyForQuery I\n")
        .server_sends(server::close_complete() + server::ready())
        .expect_to_client("")
        // Whatever is left of it.
        .expect_to_server("Query \"DISCARD ALL\"\n")
        .server_sends(server::command_complete("DISCARD ALL") + server::ready())
        .exchange(0, 0, "select 1");
    script.run();
}

// What is prepared again may fail, for a table that has gone; the Query behind it is skipped then.
TEST(SqlNames, that_cannot_be_lent_are_the_querys_error) {
    Script script;
    prepare(script)
        .client_sends(client::query("execute a"))
        .server_sends(server::close_complete() + server::error("42P01", "no such table"))
        .expect_to_client("ErrorResponse ERROR 42P01 \"no such table\"\n")
        .server_sends(server::ready())
        .expect_to_client("ReadyForQuery I\n")
        .then([](World& world) {
            if (world.pools().servers() > 0) world.server(0).take();
        })
        .server_sends(server::command_complete("DISCARD ALL") + server::ready())
        .exchange(0, 0, "select 1");
    script.run();
}

TEST(SqlNames, are_not_lent_in_a_transaction_that_has_failed) {
    Script script;
    prepare(script)
        .client_sends(client::query("begin"))
        .server_sends(server::command_complete("BEGIN") + server::ready('E'))
        .expect_to_server("Query \"begin\"\n")
        .client_sends(client::query("execute a"))
        .expect_to_server("Query \"execute a\"\n");
    script.run();
}

// The text finds a transaction that has failed, and the names, as if they had been lent before it failed.
constexpr const char* fails_again = "Sync\nQuery \"begin\"\nQuery \"refused by pgsluice\"\n";

Bytes failed_again() {
    return server::ready() + server::command_complete("BEGIN") + server::ready('T') +
           server::error("42601", "syntax error at or near \"refused\"") + server::ready('E');
}

Script& fail_a_transaction(Script& script) {
    return prepare(script)
        .client_sends(client::query("begin"))
        .server_sends(server::command_complete("BEGIN") + server::ready('E'))
        .expect_to_server("Query \"begin\"\n")
        .expect_to_client("CommandComplete \"BEGIN\"\nReadyForQuery E\n");
}

TEST(SqlNames, are_lent_to_a_text_that_ends_a_failed_transaction_in_front_of_others) {
    Script script;
    fail_a_transaction(script)
        .client_sends(client::query("commit; execute a"))
        .expect_to_server("Query \"commit\"\n" + lends + fails_again +
                          "Query \"commit; execute a\"\nClose S \"a\"\nSync\n")
        .server_sends(server::command_complete("ROLLBACK") + server::ready() + lent + failed_again())
        .expect_to_client("")
        .server_sends(server::command_complete("ROLLBACK") + server::command_complete("OK") + server::ready())
        .expect_to_client("CommandComplete \"ROLLBACK\"\nCommandComplete \"OK\"\nReadyForQuery I\n")
        .server_sends(server::close_complete() + server::ready())
        .expect_to_client("")
        .expect_to_server("Query \"DISCARD ALL\"\n")
        .server_sends(server::command_complete("DISCARD ALL") + server::ready())
        .exchange(0, 0, "select 1");
    script.run();
}

TEST(SqlNames, that_cannot_be_lent_behind_a_failed_transaction_leave_the_text_its_own_answer) {
    Script script;
    fail_a_transaction(script)
        .client_sends(client::query("rollback to missing; execute a"))
        .expect_to_server("Query \"rollback to missing\"\n" + lends + fails_again +
                          "Query \"rollback to missing; execute a\"\nClose S \"a\"\nSync\n")
        .server_sends(server::error("3B001", "no such savepoint") + server::ready('E') + server::close_complete() +
                      server::error("25P02", "aborted") + server::ready('E') + server::error("25P02", "aborted") +
                      server::ready('E') + server::error("42601", "syntax error") + server::ready('E'))
        .expect_to_client("")
        .server_sends(server::error("3B001", "no such savepoint") + server::ready('E'))
        .expect_to_client("ErrorResponse ERROR 3B001 \"no such savepoint\"\nReadyForQuery E\n")
        .server_sends(server::close_complete() + server::ready('E'))
        .expect_to_client("");
    script.run();
}

// It does nothing, so neither must we: the savepoints of the transaction are there behind it.
TEST(SqlNames, are_not_lent_to_a_text_that_cannot_be_parsed_in_a_failed_transaction) {
    Script script;
    fail_a_transaction(script)
        .client_sends(client::query("commit; execute a; selec"))
        .expect_to_server("Query \"commit; execute a; selec\"\n");
    script.run();
}

TEST(SqlNames, are_lent_at_the_parse_of_a_text_that_executes_one_and_taken_back_with_the_server) {
    Script script;
    prepare(script)
        .client_sends(client::parse("", "execute a") + client::sync())
        .expect_to_server(lends + "Parse \"\" \"execute a\"\nSync\n")
        .server_sends(lent + server::parse_complete() + server::ready())
        .expect_to_client("ParseComplete\nReadyForQuery I\n")
        .expect_to_server("Query \"DISCARD ALL\"\n");
    script.run();
}

TEST(SqlNames, that_an_earlier_batch_decides_about_are_waited_for) {
    Script script;
    script.client_sends(client::parse("a", "A") + client::sync() + client::parse("", "execute a") + client::sync())
        .expect_to_server(prepares("A") + "Sync\n")
        .server_sends(server::error("42601", "syntax error") + server::ready())
        .expect_to_server("Parse \"\" \"execute a\"\nSync\n")
        .expect_to_client("ErrorResponse ERROR 42601 \"syntax error\"\nReadyForQuery I\n");
    script.run();
}

// What it waits for is asked about in between, and that must not pass for what it does itself.
TEST(SqlNames, a_statement_that_waits_is_asked_about_when_it_has_run) {
    World::Options options;
    options.pool.session_state = config::SessionState::preserve;
    Script script(options);
    script.client_sends(client::parse("a", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .client_sends(client::query("set work_mem = '7MB'") + client::query("prepare a as select 1"))
        .server_sends(server::command_complete("SET") + server::ready())
        .server_sends(server::close_complete() + server::parse_complete() + server::bind_complete() +
                      server::command_complete("SET") + server::close_complete() + server::parse_complete() +
                      server::bind_complete() + server::command_complete("SELECT 0") + server::ready())
        .then([](World& world) {
            if (world.pools().servers() > 0) world.server(0).take();
        })
        .server_sends(lent + server::command_complete("PREPARE") + server::ready() + server::close_complete() +
                      server::ready())
        .expect_to_server(
            "Bind \"\" \"pgsluice_isolate\"\nExecute \"\" 0\n"
            "Bind \"\" \"pgsluice_inspect\" \"{}\" \"f\"\nExecute \"\" 0\nSync\n");
    script.run_whole_unbroken();
}

TEST(SqlNames, whose_close_is_skipped_are_lent_all_the_same) {
    Script script;
    prepare(script)
        .client_sends(client::parse("b", "broken") + client::close_statement("a") + client::sync() +
                      client::query("execute a"))
        .expect_to_server(prepares("broken") + "Sync\n")
        .server_sends(server::error("42601", "syntax error") + server::ready())
        .expect_to_server(lends + "Query \"execute a\"\nClose S \"a\"\nSync\n");
    script.run();
}

// For PREPARE it is enough that the name is taken: what it stands for may not be parsed today.
TEST(SqlNames, are_lent_without_their_texts_to_one_that_only_gives_names) {
    Script script;
    prepare(script)
        .client_sends(client::query("prepare a as select 1"))
        .expect_to_server("Close S \"a\"\nParse \"a\" \"\"\nQuery \"prepare a as select 1\"\nClose S \"a\"\nSync\n");
    script.run();
}

TEST(SqlNames, are_lent_where_a_transaction_that_had_failed_has_ended_meanwhile) {
    Script script;
    prepare(script)
        .client_sends(client::query("begin"))
        .server_sends(server::command_complete("BEGIN") + server::ready('E'))
        .expect_to_server("Query \"begin\"\n")
        .client_sends(client::query("commit and chain") + client::parse("", "execute a") + client::sync())
        .expect_to_server("Query \"commit and chain\"\n")
        .server_sends(server::command_complete("ROLLBACK") + server::ready('T'))
        .expect_to_server(lends + "Parse \"\" \"execute a\"\nSync\n");
    script.run();
}

// A reset would take what is prepared there away from its client, too.
TEST(SqlNames, that_are_only_asked_for_leave_nothing_to_reset) {
    World::Options options;
    options.pool.session_state = config::SessionState::preserve;
    Script script(options);
    script.client_sends(client::query("listen news") + client::parse("a", "A") + client::sync())
        .server_sends(server::command_complete("LISTEN") + server::ready())
        .server_sends(server::parse_complete() + server::close_complete() + server::parse_complete() + server::ready())
        .expect([](World& world) { EXPECT_FALSE(world.client(0).session->server()->needs_reset()); });
    script.run_whole_unbroken();
}

TEST(SqlNames, of_others_are_not_lent) {
    Script script;
    prepare(script).client_sends(client::query("execute b")).expect_to_server("Query \"execute b\"\n");
    script.run();
}

}  // namespace
}  // namespace pgsluice::session
