// Statement mode through a whole session: what stands behind a statement that opens a transaction is not sent before it
// is known that the server is taken away.
#include <gtest/gtest.h>
#include <support/script.hpp>

namespace pgsluice::session {
namespace {

using metrics::ServerState;
using test::Script;
using test::World;
namespace client = test::client;
namespace server = test::server;

World::Options in_statement_mode() {
    World::Options options;
    options.pool.mode = config::PoolMode::statement;
    return options;
}

void expect_idle_server(World& world) {
    EXPECT_EQ(world.pools().gauge(ServerState::idle), 1);
}

const std::string refused =
    "ErrorResponse ERROR 0A000 \"transaction blocks are not allowed in statement pooling mode\" "
    "R=\"pgsluice\"\nReadyForQuery I\n";

Bytes begun() {
    return server::command_complete("BEGIN") + server::ready('T');
}

Bytes rolled_back() {
    return server::command_complete("ROLLBACK") + server::ready();
}

TEST(StatementMode, queries_behind_a_refused_transaction_run_by_themselves) {
    Script script(in_statement_mode());
    script.client_sends(client::query("begin") + client::query("insert") + client::query("commit"))
        .expect_to_server("Query \"begin\"\n")
        .server_sends(begun())
        .expect_to_client("CommandComplete \"BEGIN\"\n" + refused)
        .expect_to_server("Query \"ROLLBACK\"\n")
        .server_sends(rolled_back())
        .expect_to_server("Query \"insert\"\n")
        .server_sends(server::command_complete("INSERT 0 1") + server::ready())
        .expect_to_server("Query \"commit\"\n")
        .server_sends(server::command_complete("COMMIT") + server::ready())
        .expect_to_client(
            "CommandComplete \"INSERT 0 1\"\nReadyForQuery I\nCommandComplete \"COMMIT\"\nReadyForQuery I\n")
        .expect(expect_idle_server);
    script.run();
}

TEST(StatementMode, an_extended_batch_behind_a_refused_transaction_runs_by_itself) {
    const Bytes asks = client::parse("", "begin") + client::bind() + client::execute() + client::sync();
    const Bytes asks_behind = client::parse("", "next") + client::bind() + client::execute() + client::sync();
    Script script(in_statement_mode());
    script.client_sends(asks + asks_behind)
        .expect_to_server("Parse \"\" \"begin\"\nBind \"\" \"\"\nExecute \"\" 0\nSync\n")
        .server_sends(server::parse_complete() + server::bind_complete() + begun())
        .expect_to_client("ParseComplete\nBindComplete\nCommandComplete \"BEGIN\"\n" + refused)
        .expect_to_server("Query \"ROLLBACK\"\n")
        .server_sends(rolled_back())
        .expect_to_server("Parse \"\" \"next\"\nBind \"\" \"\"\nExecute \"\" 0\nSync\n")
        .server_sends(server::parse_complete() + server::bind_complete() + server::command_complete("NEXT") +
                      server::ready())
        .expect_to_client("ParseComplete\nBindComplete\nCommandComplete \"NEXT\"\nReadyForQuery I\n")
        .expect(expect_idle_server);
    script.run();
}

TEST(StatementMode, syncs_behind_a_refused_transaction_are_answered_each) {
    Script script(in_statement_mode());
    script.client_sends(client::query("begin") + client::sync() + client::sync())
        .expect_to_server("Query \"begin\"\n")
        .server_sends(begun())
        .expect_to_client("CommandComplete \"BEGIN\"\n" + refused + "ReadyForQuery I\nReadyForQuery I\n")
        .expect_to_server("Query \"ROLLBACK\"\n")
        .server_sends(rolled_back())
        .expect(expect_idle_server);
    script.run();
}

TEST(StatementMode, another_client_has_its_turn_between_two_batches) {
    Script script(in_statement_mode());
    script.add_client()
        .client_sends(client::query("a") + client::query("b"))
        .client_sends(1, client::query("other"))
        .expect_to_server("Query \"a\"\n")
        .server_sends(server::command_complete("A") + server::ready())
        .expect_to_client("CommandComplete \"A\"\nReadyForQuery I\n")
        .expect_to_server("Query \"other\"\n")
        .server_sends(server::command_complete("OTHER") + server::ready())
        .expect_to_client(1, "CommandComplete \"OTHER\"\nReadyForQuery I\n")
        .expect_to_server("Query \"b\"\n")
        .server_sends(server::command_complete("B") + server::ready())
        .expect_to_client("CommandComplete \"B\"\nReadyForQuery I\n");
    script.run();
}

// The pool hears when the rest has been taken, and not the client that is to be heard again.
TEST(StatementMode, a_client_whose_server_goes_before_it_has_taken_all_goes_on) {
    Script script(in_statement_mode());
    script.client_sends(client::query("begin; copy"))
        .server_sends(server::command_complete("BEGIN") + server::copy_in_response())
        .then([](World& world) {
            if (world.servers() > 0) world.server(0).peer.congest();
        })
        .client_sends(client::copy_data("bad\n"))
        .expect([](World& world) { EXPECT_TRUE(world.client(0).peer.is_paused(Pause::slow_reader)); })
        .server_sends(server::error("22P02", "bad") + server::ready('E'))
        .expect([](World& world) { EXPECT_FALSE(world.client(0).peer.is_paused()); })
        .client_sends(client::copy_data("2\n") + client::copy_done() + client::query("next"))
        .then([](World& world) {
            if (world.servers() > 0) world.server(0).peer.drain();
        })
        .server_sends(rolled_back())
        .expect_to_server("Query \"begin; copy\"\nCopyData \"bad\\x0a\"\nQuery \"ROLLBACK\"\nQuery \"next\"\n")
        .server_sends(server::command_complete("NEXT") + server::ready())
        .expect_to_client("CommandComplete \"BEGIN\"\nCopyInResponse 5\nErrorResponse ERROR 22P02 \"bad\"\n" + refused +
                          "CommandComplete \"NEXT\"\nReadyForQuery I\n")
        .expect(expect_idle_server);
    script.run_whole();
}

// Those are answered by a ReadyForQuery too, which is not the client's.
TEST(StatementMode, a_batch_does_not_wait_for_the_settings_ahead_of_it) {
    Script script(in_statement_mode());
    const auto has_set = [](std::string_view value) {
        return server::bind_complete() + server::row({value}) + server::command_complete("SELECT 1") +
               server::parameter_status("application_name", value) + server::ready();
    };
    script.add_client({{"application_name", "psql"}})
        .server_sends(server::parse_complete() + has_set("psql"))
        .add_client({{"application_name", "other"}})
        .server_sends(has_set("other"))
        .then([](World& world) {
            if (world.servers() > 0) world.server(0).take();
        })
        .client_sends(1, client::query("a") + client::query("b"))
        .expect_to_server(
            "Bind \"\" \"pgsluice_set\" \"application_name\" \"psql\"\nExecute \"\" 0\nSync\nQuery \"a\"\n");
    script.run_whole();
}

// Whether the server ignores it is known when the COPY reads, so it waits for that and not for the end.
TEST(StatementMode, a_sync_ahead_of_the_data_of_a_copy_does_not_hold_it_up) {
    Script script(in_statement_mode());
    script
        .client_sends(client::query("copy") + client::sync() + client::copy_data("1\n") + client::copy_done() +
                      client::query("next"))
        .expect_to_server("Query \"copy\"\n")
        .server_sends(server::copy_in_response())
        .expect_to_server("Sync\nCopyData \"1\\x0a\"\nCopyDone\n")
        .server_sends(server::command_complete("COPY 1") + server::ready())
        .expect_to_server("Query \"next\"\n")
        .server_sends(server::command_complete("NEXT") + server::ready())
        .expect_to_client(
            "CopyInResponse 5\nCommandComplete \"COPY 1\"\nReadyForQuery I\nCommandComplete \"NEXT\"\n"
            "ReadyForQuery I\n")
        .expect(expect_idle_server);
    script.run();
}

TEST(StatementMode, an_extended_copy_goes_through_as_libpq_sends_it) {
    Script script(in_statement_mode());
    script
        .client_sends(client::parse("", "copy") + client::bind() + client::execute() + client::sync() +
                      client::copy_data("1\n") + client::copy_done() + client::sync())
        .expect_to_server("Parse \"\" \"copy\"\nBind \"\" \"\"\nExecute \"\" 0\nSync\nCopyData \"1\\x0a\"\nCopyDone\n")
        .server_sends(server::parse_complete() + server::bind_complete() + server::copy_in_response())
        .expect_to_server("Sync\n")
        .server_sends(server::command_complete("COPY 1") + server::ready())
        .expect_to_client(
            "ParseComplete\nBindComplete\nCopyInResponse 5\nCommandComplete \"COPY 1\"\nReadyForQuery I\n")
        .expect(expect_idle_server);
    script.run();
}

}  // namespace
}  // namespace pgsluice::session
