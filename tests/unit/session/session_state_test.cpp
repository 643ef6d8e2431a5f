// Session state in transaction mode: when the server is asked what a session has become, and what its answer leads to.
#include "state_scripts.hpp"

#include <gtest/gtest.h>

namespace pgsluice::session {
namespace {

using metrics::PinReason;
using metrics::ServerState;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(SessionState, a_bind_that_is_refused_has_no_effect) {
    Script script = preserving();
    script.client_sends(client::query("begin"))
        .server_sends(server::command_complete("BEGIN") + server::ready('T'))
        .client_sends(client::parse("s", "set work_mem = '7MB'") + client::bind("", "s") + client::sync())
        .server_sends(server::parse_complete() + server::bind_complete() + server::ready('T'))
        .client_sends(client::query("rollback"))
        .server_sends(server::command_complete("ROLLBACK") + server::ready())
        .expect([](World& world) { world.server(0).take(); })
        .server_sends(answers({}))
        .client_sends(client::query("begin") + client::bind("", "pgsluice_x") + client::sync())
        .server_sends(server::command_complete("BEGIN") + server::ready('T'))
        .server_sends(server::error("42601", "syntax error") + server::ready('E'))
        .client_sends(client::query("rollback"))
        .expect([](World& world) { world.server(0).take(); })
        .server_sends(server::command_complete("ROLLBACK") + server::ready())
        .expect_to_server("")
        .expect([](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::idle), 1); });
    script.run();
}

TEST(SessionState, a_statement_without_effect_asks_nothing) {
    Script script = preserving();
    script.client_sends(client::query("set local work_mem = '7MB'"))
        .expect_to_server("Query \"set local work_mem = '7MB'\"\n")
        .server_sends(server::command_complete("SET") + server::ready())
        .expect_to_server("")
        .expect([](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::idle), 1); });
    script.run();
}

TEST(SessionState, the_clients_next_message_waits_for_the_answer) {
    Script script = preserving();
    sets_work_mem(script)
        .client_sends(client::query("select 1"))
        .expect_to_server("")
        .server_sends(answers({{"s", "work_mem", "7168"}}))
        .expect_to_server("Query \"select 1\"\n");
    script.run();
}

TEST(SessionState, what_cannot_be_carried_pins_until_it_is_gone) {
    Script script = preserving();
    script.client_sends(client::query("listen news"))
        .expect_to_server("Query \"listen news\"\n")
        .server_sends(server::command_complete("LISTEN") + server::ready())
        .expect_to_client("CommandComplete \"LISTEN\"\nReadyForQuery I\n")
        .expect_to_server(asks_first())
        .server_sends(answers({{"p", "2", ""}}))
        .expect([](World& world) {
            EXPECT_EQ(world.metrics().pinned[PinReason::listen].value(), 1);
            EXPECT_EQ(world.pools().gauge(ServerState::idle), 0);
        })
        .client_sends(client::query("unlisten *"))
        .expect_to_server("Query \"unlisten *\"\n")
        .server_sends(server::command_complete("UNLISTEN") + server::ready())
        .expect_to_client("CommandComplete \"UNLISTEN\"\nReadyForQuery I\n")
        .expect_to_server(asks("{}", "t"))
        .server_sends(answers({}, false))
        .expect([](World& world) {
            EXPECT_EQ(world.metrics().pinned[PinReason::listen].value(), 0);
            EXPECT_EQ(world.metrics().pins[PinReason::listen].value(), 1U);
            EXPECT_EQ(world.pools().gauge(ServerState::idle), 1);
        });
    script.run();
}

TEST(SessionState, what_execute_runs_may_have_set_what_prepare_named) {
    Script script = preserving();
    script.client_sends(client::query("prepare p as select set_config('app.tenant', 'x', false)"))
        .server_sends(server::command_complete("PREPARE") + server::ready())
        .expect([](World& world) { world.server(0).take(); })
        .server_sends(answers({{"p", "4", ""}}))
        .client_sends(client::query("select 1"))
        .server_sends(server::one_row("1"))
        .expect_to_server("Query \"select 1\"\n")
        .client_sends(client::query("EXECUTE p"))
        .expect_to_server("Query \"EXECUTE p\"\n")
        .server_sends(server::one_row("x"))
        .expect_to_server(asks_first("{\"app.tenant\"}", "t"));
    script.run();
}

TEST(SessionState, names_that_nobody_can_ask_for_leave_a_reset) {
    Script script = preserving();
    script.client_sends(client::query("select set_config('app.' || 'tenant', 'x', false)"))
        .server_sends(server::one_row("x"))
        .expect([](World& world) { world.server(0).take(); })
        .server_sends(answers({}))
        .expect_to_server("Query \"DISCARD ALL\"\n");
    script.run();
}

TEST(SessionState, a_server_that_cannot_be_asked_stays_with_its_client_and_is_asked_again) {
    Script script = preserving();
    sets_work_mem(script)
        .server_sends(server::error("42501", "permission denied") + server::ready())
        .expect_to_server(asks_first())
        .server_sends(server::error("42501", "permission denied") + server::ready())
        .expect_to_client("")
        .expect_to_server("")
        .expect([](World& world) { EXPECT_EQ(world.metrics().pinned[PinReason::unknown].value(), 1); })
        .client_sends(client::query("select 1"))
        .expect_to_server("Query \"select 1\"\n")
        .server_sends(server::one_row("1"))
        .expect_to_server(asks_first("{}", "t"));
    script.run();
}

// Somebody has deallocated it, inside a function say.
TEST(SessionState, a_server_that_has_lost_our_statement_is_asked_again_at_once) {
    Script script = preserving();
    sets_work_mem(script)
        .server_sends(answers({{"s", "work_mem", "7168"}}))
        .client_sends(client::query("set work_mem = '8MB'"))
        .expect_to_server("Query \"set work_mem = '8MB'\"\n")
        .server_sends(server::command_complete("SET") + server::ready())
        .expect_to_server(asks())
        .server_sends(server::error("26000", "prepared statement does not exist") + server::ready())
        .expect_to_server(asks_first())
        .server_sends(answers({{"s", "work_mem", "8192"}}))
        .expect([](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::idle), 1); });
    script.run();
}

TEST(SessionState, what_the_clients_timeout_has_struck_is_asked_again_without_it) {
    Script script = preserving();
    script.add_client();
    sets_work_mem(script)
        .server_sends(server::error("57014", "canceling statement due to statement timeout") + server::ready())
        .expect([](World& world) {
            const std::string asked = test::describe_client(world.server(0).take());
            EXPECT_NE(asked.find("Bind \"\" \"pgsluice_lift\""), std::string::npos) << asked;
        })
        .server_sends(server::close_complete() + server::parse_complete() + server::bind_complete() +
                      server::command_complete("SET") + server::close_complete() + server::parse_complete() +
                      server::bind_complete() + server::row({"s", "statement_timeout", "1ms"}) +
                      server::command_complete("SELECT 1") + server::close_complete() + server::parse_complete() +
                      server::bind_complete() + server::row({"s", "statement_timeout", "0"}) +
                      server::command_complete("SELECT 1") + server::ready())
        .expect_to_client("")
        .expect([](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::idle), 1); })
        .client_sends(1, client::query("select 1"))
        .expect_to_server(
            "Close S \"pgsluice_reset\"\nParse \"pgsluice_reset\" \"reset \"statement_timeout\"\"\nBind \"\" "
            "\"pgsluice_reset\"\nExecute \"\" 0\nSync\n")
        // So short a timeout may strike this too, which is not about the next client.
        .server_sends(server::error("57014", "canceling statement due to statement timeout") + server::ready())
        .expect_to_client(1, "")
        .expect_to_server(1, "Query \"select 1\"\n");
    script.run();
}

// --- A server that never tells

Script& sets_work_mem_and_nobody_is_told(Script& script) {
    sets_work_mem(script);
    for (int i = 0; i < 2; ++i) script.server_sends(server::error("42501", "permission denied") + server::ready());
    return script.expect([](World& world) { world.server(0).take(); });
}

TEST(SessionState, a_client_that_keeps_a_server_that_never_tells_is_ended_when_others_have_waited) {
    Script script = preserving();
    script.add_client();
    sets_work_mem_and_nobody_is_told(script)
        .client_sends(1, client::query("select 1"))
        .wait(milliseconds(2499))
        .expect([](World& world) { EXPECT_FALSE(world.client(0).ended); })
        .wait(milliseconds(1))
        .expect([](World& world) { EXPECT_EQ(world.client(0).ended, metrics::Disconnect::failed); })
        .expect_to_client(
            "ErrorResponse FATAL 08006 \"the server does not tell what the session has become\" D=\"Others wait for "
            "the "
            "server connection that it keeps. The server says: permission denied\" R=\"pgsluice\"\n")
        .expect_to_server("Query \"DISCARD ALL\"\n")
        .server_sends(server::command_complete("DISCARD ALL") + server::ready())
        .expect_to_server("Query \"select 1\"\n");
    script.run_whole();
}

TEST(SessionState, a_client_whose_server_never_tells_keeps_it_while_nobody_waits) {
    Script script = preserving();
    sets_work_mem_and_nobody_is_told(script).wait(seconds(60)).expect([](World& world) {
        EXPECT_FALSE(world.client(0).ended);
    });
    script.run_whole();
}

// --- A cancel that comes when the client has been answered already

// It would strike the question.
Script& sets_work_mem_and_is_cancelled_late(Script& script, bool drains = false) {
    return script.client_sends(client::query("set work_mem = '7MB'"))
        .expect_to_server("Query \"set work_mem = '7MB'\"\n")
        .then([drains](World& world) {
            if (world.client(0).session == nullptr) return;
            world.session(0).cancel();
            if (drains) world.session(0).drain();
        })
        .server_sends(server::command_complete("SET") + server::ready())
        .expect([](World& world) { EXPECT_EQ(world.cancels().size(), 1U); })
        .expect_to_server("");
}
void end_cancels(World& world) {
    world.end_cancels();
}

TEST(SessionState, a_server_is_asked_when_no_cancel_is_on_its_way_to_it) {
    Script script = preserving();
    sets_work_mem_and_is_cancelled_late(script)
        .wait(milliseconds(50))
        .expect_to_server("")
        .then(end_cancels)
        .wait(milliseconds(50))
        .expect_to_server(asks_first())
        .server_sends(answers({{"s", "work_mem", "7168"}}))
        .expect([](World& world) { EXPECT_EQ(world.gauge(ServerState::idle), 1); });
    script.run();
}

TEST(SessionState, a_client_goes_on_with_a_server_that_cannot_be_asked_yet) {
    Script script = preserving();
    sets_work_mem_and_is_cancelled_late(script)
        .client_sends(client::query("select 1"))
        .expect_to_server("Query \"select 1\"\n")
        .then(end_cancels)
        .server_sends(server::one_row("1"))
        .expect_to_server(asks_first());
    script.run();
}

TEST(SessionState, a_client_that_is_to_end_does_not_wait_for_a_cancel) {
    Script script = preserving();
    sets_work_mem_and_is_cancelled_late(script, true)
        .expect([](World& world) { EXPECT_EQ(world.client(0).ended, metrics::Disconnect::shutdown); })
        .then(end_cancels)
        .expect_to_server("Query \"DISCARD ALL\"\n");
    script.run();
}

TEST(SessionState, a_client_that_leaves_unasked_leaves_a_reset) {
    Script script = preserving();
    sets_work_mem(script)
        .client_leaves()
        .server_sends(answers({{"s", "work_mem", "7168"}}))
        .expect_to_server("Query \"DISCARD ALL\"\n")
        .server_sends(server::command_complete("DISCARD ALL") + server::ready())
        .expect([](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::idle), 1); });
    script.run();
}

// --- How long it may take

void expect_unanswered(World& world) {
    EXPECT_EQ(test::describe(world.client(0).peer.take()),
              "ErrorResponse FATAL 08006 \"the server does not answer\" D=\"The server db:5432 was asked about the "
              "session, or to restore it, and pool.query_wait_timeout has passed.\" R=\"pgsluice\"\n");
    EXPECT_EQ(world.client(0).ended, metrics::Disconnect::server_lost);
    EXPECT_EQ(world.gauge(ServerState::active) + world.gauge(ServerState::resetting), 0);
}
void expect_alive(World& world) {
    EXPECT_FALSE(world.client(0).ended);
}

TEST(SessionState, a_server_that_does_not_tell_in_time_is_closed_and_its_client_ended) {
    Script script = preserving();
    sets_work_mem(script)
        .client_sends(client::query("select 1"))
        .wait(milliseconds(4999))
        .expect(expect_alive)
        .wait(milliseconds(1))
        .expect(expect_unanswered)
        .expect_to_server("");
    script.run();
}

TEST(SessionState, a_server_that_has_told_has_all_the_time_there_is) {
    Script script = preserving();
    sets_work_mem(script)
        .server_sends(answers({{"s", "work_mem", "7168"}}))
        .wait(seconds(10))
        .expect(expect_alive)
        .client_sends(client::query("listen news"))
        .server_sends(server::command_complete("LISTEN") + server::ready())
        .server_sends(answers({{"s", "work_mem", "7168"}, {"p", "2", ""}}, false))
        .wait(seconds(60))
        .expect(expect_alive);
    script.run();
}

TEST(SessionState, a_server_that_does_not_restore_rights_in_time_is_closed_and_its_client_ended) {
    Script script = preserving();
    script.client_sends(client::query("set role ann"))
        .server_sends(server::command_complete("SET") + server::ready())
        .server_sends(answers({{"s", "role", "ann"}}))
        .expect_to_client("CommandComplete \"SET\"\nReadyForQuery I\n")
        .then([](World& world) { world.pool().retire_servers(metrics::ServerClose::lifetime); })
        .wait(seconds(60))
        .client_sends(client::query("select 1"))
        .wait(milliseconds(4999))
        .expect(expect_alive)
        .wait(milliseconds(1))
        .expect(expect_unanswered);
    script.run_whole();
}

TEST(SessionState, rights_are_restored_for_a_client_that_does_not_read) {
    Script script = preserving();
    script.client_sends(client::query("set role ann"))
        .server_sends(server::command_complete("SET") + server::ready())
        .server_sends(answers({{"s", "role", "ann"}}))
        .then([](World& world) { world.pool().retire_servers(metrics::ServerClose::lifetime); })
        .then([](World& world) { world.client(0).peer.congest(); })
        .client_sends(client::query("select 1"))
        .expect([](World& world) { world.server(1).take(); })
        .server_sends(1, server::parse_complete() + server::bind_complete() + server::command_complete("SELECT 0") +
                             server::ready())
        .expect_to_server(1, "Query \"select 1\"\n");
    script.run_whole();
}

TEST(SessionState, a_server_that_has_restored_rights_in_time_has_all_the_time_there_is) {
    Script script = preserving();
    script.client_sends(client::query("set role ann"))
        .server_sends(server::command_complete("SET") + server::ready())
        .server_sends(answers({{"s", "role", "ann"}}))
        .then([](World& world) { world.pool().retire_servers(metrics::ServerClose::lifetime); })
        .client_sends(client::query("select pg_sleep(60)"))
        .server_sends(1, server::parse_complete() + server::bind_complete() + server::row({"ann"}) +
                             server::command_complete("SELECT 1") + server::ready())
        .wait(seconds(60))
        .expect(expect_alive);
    script.run_whole();
}

Script preserving_in_statement_mode() {
    World::Options options;
    options.pool.mode = config::PoolMode::statement;
    options.pool.session_state = config::SessionState::preserve;
    return Script(options);
}

// Statement mode takes the server away without asking it.
TEST(SessionState, a_transaction_that_is_refused_leaves_a_reset) {
    Script script = preserving_in_statement_mode();
    script.client_sends(client::query("select pg_advisory_lock(1); begin"))
        .expect_to_server("Query \"select pg_advisory_lock(1); begin\"\n")
        .server_sends(server::command_complete("SELECT 1") + server::command_complete("BEGIN") + server::ready('T'))
        .expect_to_server("Query \"ROLLBACK\"\n")
        .server_sends(server::command_complete("ROLLBACK") + server::ready())
        .expect_to_server("Query \"DISCARD ALL\"\n")
        .server_sends(server::command_complete("DISCARD ALL") + server::ready())
        .expect([](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::idle), 1); });
    script.run();
}

TEST(SessionState, what_nothing_undoes_pins_for_good_and_goes_with_its_server) {
    for (const char* text : {"load 'x'", "select dblink_connect('x')", "select pg_backup_start('x')"}) {
        SCOPED_TRACE(text);
        Script script = preserving();
        script.client_sends(client::query(text))
            .server_sends(server::command_complete("SELECT 1") + server::ready())
            .server_sends(answers({}))
            .expect([](World& world) { EXPECT_EQ(world.metrics().pinned[PinReason::library].value(), 1); })
            .client_sends(client::query("discard all"))
            .server_sends(server::command_complete("DISCARD ALL") + server::ready())
            .expect([](World& world) { world.server(0).take(); })
            .server_sends(answers({}))
            .expect([](World& world) {
                EXPECT_EQ(world.metrics().pinned[PinReason::library].value(), 1);
                EXPECT_EQ(world.pools().gauge(ServerState::idle), 0);
            })
            .client_sends(client::terminate())
            .expect([](World& world) {
                EXPECT_EQ(world.metrics().pinned[PinReason::library].value(), 0);
                EXPECT_EQ(world.pools().gauge(ServerState::idle), 0);
            });
        script.run_whole();
    }
}

TEST(SessionState, a_temporary_slot_by_parameters_pins_when_it_is_bound) {
    Script script = preserving();
    script
        .client_sends(client::parse("", "select pg_create_physical_replication_slot($1, $2, $3)") +
                      client::bind("", "") + client::execute("") + client::sync())
        .server_sends(server::parse_complete() + server::bind_complete() + server::command_complete("SELECT 1") +
                      server::ready())
        .server_sends(answers({}))
        .expect([](World& world) { EXPECT_EQ(world.metrics().pinned[PinReason::library].value(), 1); });
    script.run();
}

// DISCARD ALL would not end it.
TEST(SessionState, a_transaction_that_is_refused_takes_along_a_server_on_which_something_stays) {
    Script script = preserving_in_statement_mode();
    script.client_sends(client::query("select dblink_connect('x'); begin"))
        .expect_to_server("Query \"select dblink_connect('x'); begin\"\n")
        .server_sends(server::command_complete("SELECT 1") + server::command_complete("BEGIN") + server::ready('T'))
        .server_sends(server::command_complete("ROLLBACK") + server::ready())
        .expect([](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::idle), 0); });
    script.run();
}

TEST(SessionState, ignored_asks_nothing) {
    World::Options options;
    options.pool.session_state = config::SessionState::ignore;
    Script script(options);
    script.client_sends(client::query("set work_mem = '7MB'"))
        .expect_to_server("Query \"set work_mem = '7MB'\"\n")
        .server_sends(server::command_complete("SET") + server::ready())
        .expect_to_server("")
        .expect([](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::idle), 1); });
    script.run();
}

}  // namespace
}  // namespace pgsluice::session
