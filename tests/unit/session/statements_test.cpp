// Prepared statements in transaction mode: one server, and names that follow their client to another.
#include "statement_scripts.hpp"

#include <gtest/gtest.h>

namespace pgsluice::session {
namespace {

TEST(Statements, go_by_a_name_of_ours_on_the_server) {
    Script script;
    script.client_sends(client::parse("s", "select 1") + client::describe_statement("s") + client::sync())
        .expect_to_server(prepares("select 1") + "Describe S \"" + our_name("select 1") + "\"\nSync\n")
        .server_sends(server::parse_complete() + server::parameter_description({}) + server::row_description({"a"}) +
                      server::ready())
        .expect_to_client("ParseComplete\nParameterDescription\nRowDescription \"a\"\nReadyForQuery I\n")
        .client_sends(run("s"))
        .expect_to_server(runs("select 1"))
        .server_sends(answered("SELECT 1"))
        .expect_to_client("BindComplete\nCommandComplete \"SELECT 1\"\nReadyForQuery I\n");
    script.run();
}

TEST(Statements, are_prepared_behind_the_clients_back_on_another_server) {
    Script script = on_two_servers();
    script.client_sends(client::parse("s", "select 1") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_server(prepares("select 1") + "Sync\n")
        .expect_to_client("ParseComplete\nReadyForQuery I\n");
    hold_server(script, 1, 0);
    script.client_sends(run("s"))
        .expect_to_server(1, prepares("select 1") + runs("select 1"))
        .server_sends(1, server::parse_complete() + answered("SELECT 1"))
        .expect_to_client("BindComplete\nCommandComplete \"SELECT 1\"\nReadyForQuery I\n")
        .client_sends(run("s"))
        .expect_to_server(1, runs("select 1"))
        .server_sends(1, answered("SELECT 1"));
    script.run();
}

TEST(Statements, that_a_server_has_already_are_not_sent_again) {
    Script script;
    script.add_client()
        .client_sends(client::parse("a", "select 1") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_server(prepares("select 1") + "Sync\n")
        .client_sends(1, client::parse("b", "select 1") + run("b"))
        .expect_to_server(runs("select 1"))
        .server_sends(answered("SELECT 1"))
        .expect_to_client(1, "ParseComplete\nBindComplete\nCommandComplete \"SELECT 1\"\nReadyForQuery I\n");
    script.run();
}

TEST(Statements, of_equal_names_and_different_texts_never_meet) {
    Script script;
    script.add_client()
        .client_sends(client::parse("s", "mine") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .client_sends(1, client::parse("s", "yours") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_server(prepares("mine") + "Sync\n" + prepares("yours") + "Sync\n")
        .client_sends(run("s"))
        .expect_to_server(runs("mine"))
        .server_sends(answered("MINE"))
        .client_sends(1, run("s"))
        .expect_to_server(runs("yours"));
    script.run();
}

TEST(Statements, a_name_in_use_is_refused_and_the_first_survives) {
    Script script;
    script.client_sends(client::parse("s", "first") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_server(prepares("first") + "Sync\n")
        .client_sends(client::parse("s", "second") + client::sync())
        // It may find something else wrong first: the text, or the transaction.
        .expect_to_server(parses_again("second") + "Sync\n")
        .server_sends(already_exists())
        .expect_to_client(
            "ParseComplete\nReadyForQuery I\n"
            "ErrorResponse ERROR 42P05 \"\"s\" already exists\"\nReadyForQuery I\n")
        .client_sends(run("s"))
        .expect_to_server(runs("first"));
    script.run();
}

TEST(Statements, an_unknown_name_is_the_servers_to_refuse) {
    Script script;
    script.client_sends(client::bind("", "nope") + client::sync())
        .expect_to_server("Bind \"\" \"nope\"\nSync\n")
        .server_sends(server::error("26000", "prepared statement \"nope\" does not exist") + server::ready())
        .expect_to_client(
            "ErrorResponse ERROR 26000 \"prepared statement \"nope\" does not exist\"\nReadyForQuery I\n");
    script.run();
}

TEST(Statements, a_name_of_ours_is_unknown_to_every_client) {
    Script script;
    script.client_sends(client::bind("", our_name("select 1")) + client::sync())
        .expect_to_server("Parse \"pgsluice_refused\" \"refused by pgsluice\"\nSync\n")
        .server_sends(server::error("42601", "syntax error") + server::ready())
        .expect_to_client("ErrorResponse ERROR 26000 \"prepared statement \"" + our_name("select 1") +
                          "\" does not exist\" R=\"pgsluice\"\nReadyForQuery I\n");
    script.run();
}

TEST(Statements, a_parse_that_failed_is_not_remembered) {
    Script script;
    script.client_sends(client::parse("s", "select a from t") + client::sync())
        .server_sends(server::error("42P01", "no table") + server::ready())
        .expect_to_server(prepares("select a from t") + "Sync\n")
        .client_sends(client::parse("s", "select a from t") + client::sync())
        .expect_to_server(prepares("select a from t") + "Sync\n")
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_client("ErrorResponse ERROR 42P01 \"no table\"\nReadyForQuery I\nParseComplete\nReadyForQuery I\n");
    script.run();
}

TEST(Statements, one_slot_evicts_and_nobody_notices) {
    World::Options options;
    options.pool.max_prepared_statements = 1;
    Script script(options);
    script.client_sends(client::parse("a", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_server(prepares("A") + "Sync\n")
        .client_sends(client::parse("b", "B") + client::sync())
        .expect_to_server(evicts("A") + prepares("B") + "Sync\n")
        .server_sends(server::close_complete() + server::parse_complete() + server::ready())
        .client_sends(run("a"))
        .expect_to_server(evicts("B") + prepares("A") + runs("A"))
        .server_sends(server::close_complete() + server::parse_complete() + answered("A"))
        .expect_to_client(
            "ParseComplete\nReadyForQuery I\nParseComplete\nReadyForQuery I\nBindComplete\nCommandComplete \"A\"\n"
            "ReadyForQuery I\n");
    script.run();
}

// Those who have the settings of before must not find it there as theirs.
TEST(Statements, one_that_was_evicted_in_its_own_batch_is_parsed_again_as_a_text_of_the_settings_of_now) {
    World::Options options;
    options.pool.max_prepared_statements = 1;
    options.pool.session_state = config::SessionState::preserve;
    Script script(options);
    const std::string german = "set local datestyle = 'German'";
    const auto now = [&](std::string_view text) { return '"' + our_name(text, 0, german) + '"'; };
    script.client_sends(client::parse("a", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_server(prepares("A") + "Sync\n")
        .expect_to_client("ParseComplete\nReadyForQuery I\n");
    hold_server(script, 0, 0);
    script.client_sends(client::query(german))
        .expect_to_server("Query \"" + german + "\"\n")
        .server_sends(server::command_complete("SET") + server::ready('T'))
        .client_sends(client::bind("", "a") + client::parse("b", "B") + client::bind("", "a") + client::sync())
        .expect_to_server("Bind \"\" \"" + our_name("A") + "\"\n" + evicts("A") + "Parse " + now("B") +
                          " \"B\"\nClose S " + now("B") + "\nParse " + now("A") + " \"A\"\nBind \"\" " + now("A") +
                          "\nSync\n");
    script.run_whole_unbroken();
}

TEST(Statements, an_eviction_that_was_skipped_is_undone) {
    World::Options options;
    options.pool.max_prepared_statements = 1;
    Script script(options);
    script.client_sends(client::parse("a", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_server(prepares("A") + "Sync\n")
        .client_sends(client::bind("", "nope") + client::parse("b", "B") + client::sync())
        .expect_to_server("Bind \"\" \"nope\"\n" + evicts("A") + prepares("B") + "Sync\n")
        .server_sends(server::error("26000", "no") + server::ready())
        .client_sends(run("a"))
        .expect_to_server(runs("A"))
        .server_sends(answered("A"))
        .client_sends(client::bind("", "b") + client::sync())
        .expect_to_server("Bind \"\" \"b\"\nSync\n");
    script.run();
}

TEST(Statements, a_closed_name_is_gone_and_the_text_stays_for_others) {
    Script script;
    script.add_client()
        .client_sends(client::parse("s", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .client_sends(1, client::parse("t", "A") + client::sync())
        .server_sends(server::ready())
        .expect_to_client(1, "ParseComplete\nReadyForQuery I\n")
        .expect_to_server(prepares("A") + "Sync\nSync\n")
        // A name that is not there is closed all the same.
        .client_sends(client::close_statement("s") + client::sync() + client::close_statement("s") + client::sync())
        .expect_to_client(
            "ParseComplete\nReadyForQuery I\nCloseComplete\nReadyForQuery I\nCloseComplete\nReadyForQuery I\n")
        .client_sends(run("s"))
        .expect_to_server("Bind \"\" \"s\"\nExecute \"\" 0\nSync\n")
        .server_sends(server::error("26000", "no") + server::ready())
        .client_sends(1, run("t"))
        .expect_to_server(runs("A"));
    script.run();
}

TEST(Statements, an_error_takes_no_unnamed_statement_of_a_later_batch_away) {
    Script script;
    script.client_sends(client::bind("", "nope") + client::parse("", "A") + client::sync() + client::parse("", "A"))
        .server_sends(server::error("26000", "no") + server::ready())
        .expect_to_server("Bind \"\" \"nope\"\nParse \"\" \"A\"\nSync\nParse \"\" \"A\"\n")
        .client_sends(client::bind("", "") + client::execute() + client::sync())
        .expect_to_server("Parse \"\" \"A\"\nBind \"\" \"\"\nExecute \"\" 0\nSync\n");
    script.run();
}

// Whether the name is free nobody knows before the batch of its Close is answered.
TEST(Statements, a_close_of_an_unanswered_batch_holds_the_client_that_gives_the_name_again) {
    const Bytes closes = client::close_statement("s") + client::sync(),
                again = client::parse("s", "B") + client::sync();
    const std::string prepared = prepares("A") + "Sync\n";
    Script done, undone;
    done.client_sends(client::parse("s", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .client_sends(client::bind("", "s") + closes + again)
        .expect([](World& world) { EXPECT_TRUE(world.client(0).peer.is_paused(Pause::held)); })
        .server_sends(server::bind_complete() + server::ready())
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_server(prepared + "Bind \"\" \"" + our_name("A") + "\"\nSync\n" + prepares("B") + "Sync\n")
        .expect_to_client(
            "ParseComplete\nReadyForQuery I\nBindComplete\nCloseComplete\nReadyForQuery I\n"
            "ParseComplete\nReadyForQuery I\n");
    done.run_whole_unbroken();
    undone.client_sends(client::parse("s", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .client_sends(client::bind("", "nope") + closes + again)
        .server_sends(server::error("26000", "no") + server::ready())
        .server_sends(already_exists())
        .expect_to_client(
            "ParseComplete\nReadyForQuery I\nErrorResponse ERROR 26000 \"no\"\nReadyForQuery I\n"
            "ErrorResponse ERROR 42P05 \"\"s\" already exists\"\nReadyForQuery I\n")
        .client_sends(run("s"))
        .expect_to_server(prepared + "Bind \"\" \"nope\"\nSync\n" + parses_again("B") + "Sync\n" + runs("A"));
    undone.run_whole_unbroken();
}

TEST(Statements, a_name_that_is_closed_and_given_again_in_one_batch_is_the_new_one) {
    Script script;
    script.client_sends(client::parse("s", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .client_sends(client::close_statement("s") + client::parse("s", "B") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_client("ParseComplete\nReadyForQuery I\nCloseComplete\nParseComplete\nReadyForQuery I\n")
        .client_sends(run("s"))
        .expect_to_server(prepares("A") + "Sync\n" + prepares("B") + "Sync\n" + runs("B"));
    script.run();
}

TEST(Statements, a_name_closed_in_a_batch_is_the_servers_to_refuse_behind_it) {
    Script script;
    script.client_sends(client::parse("s", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .client_sends(client::close_statement("s") + client::bind("", "s") + client::sync())
        .expect_to_server(prepares("A") + "Sync\nBind \"\" \"s\"\nSync\n")
        .server_sends(server::error("26000", "no") + server::ready())
        // It had been closed before the batch failed.
        .client_sends(run("s"))
        .expect_to_server("Bind \"\" \"s\"\nExecute \"\" 0\nSync\n");
    script.run();
}

// COPY FROM STDIN fails on whatever comes next, so the server must be sent something.
TEST(Statements, what_stands_behind_an_execute_reaches_the_server) {
    Script script;
    script.client_sends(client::parse("s", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .client_sends(client::bind("", "s") + client::execute() + client::close_statement("s") + client::sync())
        .server_sends(server::bind_complete() + server::copy_in_response() +
                      server::error("08P01", "unexpected message type 0x43 during COPY from stdin") + server::ready())
        .expect_to_server(prepares("A") + "Sync\nBind \"\" \"" + our_name("A") +
                          "\"\nExecute \"\" 0\nClose S \"pgsluice_proof\"\nSync\n")
        .expect_to_client(
            "ParseComplete\nReadyForQuery I\nBindComplete\nCopyInResponse 5\nErrorResponse ERROR 08P01 \"unexpected "
            "message type 0x43 during COPY from stdin\"\nReadyForQuery I\n")
        .client_sends(run("s"))
        .server_sends(answered("A"))
        .client_sends(client::bind("", "s") + client::execute() + client::parse("t", "A") + client::sync())
        .expect_to_server(runs("A") + "Bind \"\" \"" + our_name("A") + "\"\nExecute \"\" 0\n" + evicts("A") +
                          prepares("A") + "Sync\n");
    script.run_whole_unbroken();
}

// The text was evicted from the server long ago: what is undone of the Close is the client's name alone.
TEST(Statements, a_close_that_is_undone_puts_nothing_on_the_server) {
    World::Options options;
    options.pool.max_prepared_statements = 1;
    Script script(options);
    script.client_sends(client::parse("a", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .client_sends(client::parse("b", "B") + client::sync())
        .server_sends(server::close_complete() + server::parse_complete() + server::ready())
        .client_sends(client::bind("", "b") + client::execute() + client::close_statement("a") + client::sync())
        .server_sends(server::bind_complete() + server::error("22012", "division by zero") + server::ready())
        .expect_to_server(prepares("A") + "Sync\n" + evicts("A") + prepares("B") + "Sync\nBind \"\" \"" +
                          our_name("B") + "\"\nExecute \"\" 0\nClose S \"pgsluice_proof\"\nSync\n")
        .client_sends(run("a"))
        .expect_to_server(evicts("B") + prepares("A") + runs("A"));
    script.run_whole_unbroken();
}

TEST(Statements, the_answer_to_a_parse_does_not_settle_a_close_behind_it) {
    Script script;
    script.client_sends(client::parse("s", "A") + client::flush())
        .client_sends(client::bind("", "nope") + client::close_statement("s") + client::sync())
        .server_sends(server::parse_complete())
        .client_sends(client::parse("s", "B") + client::sync())
        .expect_to_server(prepares("A") + "Flush\nBind \"\" \"nope\"\nSync\n")
        .server_sends(server::error("26000", "no") + server::ready())
        .expect_to_client("ParseComplete\nErrorResponse ERROR 26000 \"no\"\nReadyForQuery I\n")
        .expect_to_server(parses_again("B") + "Sync\n");
    script.run();
}

TEST(Statements, a_close_in_a_failed_batch_is_undone) {
    Script script;
    script.client_sends(client::parse("s", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .client_sends(client::bind("", "nope") + client::close_statement("s") + client::sync())
        .server_sends(server::error("26000", "no") + server::ready())
        .expect_to_server(prepares("A") + "Sync\nBind \"\" \"nope\"\nSync\n")
        .expect_to_client("ParseComplete\nReadyForQuery I\nErrorResponse ERROR 26000 \"no\"\nReadyForQuery I\n")
        .client_sends(run("s"))
        .expect_to_server(runs("A"));
    script.run();
}

// Its Parse stands in an earlier batch that is unanswered: whether the name exists nobody knows yet.
// The client has read it when it prepared the text.
TEST(Statements, what_is_told_of_a_text_that_is_parsed_again_is_not_the_clients) {
    Script script = on_two_servers();
    script.client_sends(client::parse("s", "A") + client::sync())
        .server_sends(server::notice("careful") + server::parse_complete() + server::ready())
        .expect([](World& world) {
            EXPECT_NE(world.client(0).peer.take().find("careful"), Bytes::npos);
            world.server(0).take();
        });
    hold_server(script, 1, 0);
    script.client_sends(client::bind("", "s") + client::sync())
        .server_sends(1,
                      server::notice("careful") + server::parse_complete() + server::bind_complete() + server::ready())
        .expect_to_client("BindComplete\nReadyForQuery I\n");
    script.run();
}

TEST(Statements, an_unsettled_name_holds_the_client) {
    Script script;
    script.client_sends(client::parse("s", "A") + client::sync() + run("s"))
        .expect_to_server(prepares("A") + "Sync\n")
        .expect([](World& world) { EXPECT_TRUE(world.client(0).peer.is_paused(Pause::held)); })
        .server_sends(server::parse_complete() + server::ready())
        .expect([](World& world) { EXPECT_FALSE(world.client(0).peer.is_paused()); })
        .expect_to_server(runs("A"))
        .server_sends(answered("A"))
        .expect_to_client("ParseComplete\nReadyForQuery I\nBindComplete\nCommandComplete \"A\"\nReadyForQuery I\n");
    script.run();
}

TEST(Statements, an_unsettled_name_that_failed_is_unknown) {
    Script script;
    script.client_sends(client::parse("s", "A") + client::sync() + run("s"))
        .server_sends(server::error("42P01", "no table") + server::ready())
        .expect_to_server(prepares("A") + "Sync\nBind \"\" \"s\"\nExecute \"\" 0\nSync\n");
    script.run();
}

// PostgreSQL answers 25P02 there, so only the server can.
TEST(Statements, a_known_text_in_a_failed_transaction_is_sent_all_the_same) {
    Script script;
    script.client_sends(client::parse("a", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .client_sends(client::query("begin; broken"))
        .server_sends(server::error("42601", "no") + server::ready('E'))
        .expect_to_server(prepares("A") + "Sync\nQuery \"begin; broken\"\n")
        .client_sends(client::parse("b", "A") + client::sync())
        .expect_to_server(evicts("A") + prepares("A") + "Sync\n")
        .server_sends(server::close_complete() + server::error("25P02", "aborted") + server::ready('E'))
        .expect_to_client(
            "ParseComplete\nReadyForQuery I\nErrorResponse ERROR 42601 \"no\"\nReadyForQuery E\n"
            "ErrorResponse ERROR 25P02 \"aborted\"\nReadyForQuery E\n");
    script.run();
}

// A batch is open and holds nothing but replies of ours: a Flush would bring no answer.
TEST(Statements, that_are_held_behind_replies_of_ours_alone_go_on) {
    World::Options options;
    options.pool.session_state = config::SessionState::preserve;
    Script script(options);
    script.client_sends(client::parse("s", "A") + client::parse("d", "deallocate all") + client::query("begin"))
        .server_sends(server::parse_complete() + server::parse_complete())
        .server_sends(server::command_complete("BEGIN") + server::ready('T'))
        .client_sends(client::bind("p", "d") + client::sync())
        .server_sends(server::bind_complete() + server::ready('T'))
        .expect([](World& world) { world.server(0).take(), world.client(0).peer.take(); })
        .client_sends(client::close_statement("s") + client::close_portal("p") + client::sync())
        .expect_to_client("CloseComplete\n")
        .expect_to_server("Close P \"p\"\nSync\n");
    script.run();
}

TEST(Statements, many_replies_of_ours_alone_do_not_wait_for_the_server) {
    Script script;
    Bytes many;
    for (int i = 0; i < 3000; ++i) many += client::parse("s", "A") + client::close_statement("s");
    script.client_sends(client::parse("t", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .client_sends(many + client::sync())
        .expect([](World& world) { EXPECT_FALSE(world.client(0).peer.is_paused(Pause::held)); })
        .expect_to_server(prepares("A") + "Sync\nSync\n");
    script.run_whole_unbroken();
}

TEST(Statements, errors_tell_the_clients_name_and_not_ours) {
    Script script;
    script.client_sends(client::parse("s", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_client("ParseComplete\nReadyForQuery I\n")
        .client_sends(run("s"))
        .server_sends(server::error("08P01", "statement \"" + our_name("A") + "\" requires 1") + server::ready())
        .expect_to_client("ErrorResponse ERROR 08P01 \"statement \"s\" requires 1\"\nReadyForQuery I\n");
    script.run();
}

TEST(Statements, errors_tell_no_name_of_one_that_is_closed_behind_them) {
    Script script;
    script.client_sends(client::parse("s", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_client("ParseComplete\nReadyForQuery I\n")
        .client_sends(client::bind("", "s") + client::sync() + client::close_statement("s") + client::parse("s", "B") +
                      client::sync())
        .server_sends(server::error("08P01", "but prepared statement \"" + our_name("A") + "\" requires 0") +
                      server::ready())
        .expect_to_client("ErrorResponse ERROR 08P01 \"but prepared statement requires 0\"\nReadyForQuery I\n")
        .server_sends(server::close_complete() + server::parse_complete() + server::ready())
        .expect_to_client("CloseComplete\nParseComplete\nReadyForQuery I\n");
    script.run();
}

}  // namespace
}  // namespace pgsluice::session
