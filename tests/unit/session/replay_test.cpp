// How a client's settings are restored on a server that another client has used.
#include "state_scripts.hpp"

#include <gtest/gtest.h>

namespace pgsluice::session {
namespace {

using metrics::ServerState;

// Two such clients would take the server from each other for ever, each time to restore its settings and to hold.
TEST(Replay, what_restores_settings_is_not_waited_for_by_one_that_deallocated_before) {
    Script script = preserving();
    script.add_client().client_sends(client::query("deallocate all"));
    script.server_sends(server::command_complete("DEALLOCATE ALL") + server::ready())
        .expect_to_server("Query \"deallocate all\"\n")
        .client_sends(1, client::query("set work_mem = '7MB'"))
        .expect_to_server("Query \"set work_mem = '7MB'\"\n")
        .server_sends(server::command_complete("SET") + server::ready())
        .expect_to_server(asks_first())
        .server_sends(answers({{"s", "work_mem", "7MB"}}))
        .client_sends(client::parse("", "A") + client::sync())
        .expect_to_server(
            "Close S \"pgsluice_reset\"\nParse \"pgsluice_reset\" \"reset \"work_mem\"\"\n"
            "Bind \"\" \"pgsluice_reset\"\nExecute \"\" 0\nSync\nParse \"\" \"A\"\nSync\n");
    script.run_whole_unbroken();
}

TEST(Replay, what_a_client_has_set_is_taken_off_for_the_next_one_and_put_on_again) {
    Script script = preserving();
    script.add_client();
    sets_work_mem(script)
        .server_sends(answers({{"s", "work_mem", "7168"}, {"s", "role", "none"}}))
        .expect_to_client("")
        .expect([](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::idle), 1); })
        .client_sends(1, client::query("select 1"))
        .expect_to_server(
            "Close S \"pgsluice_reset\"\nParse \"pgsluice_reset\" \"reset \"work_mem\"\"\nBind \"\" "
            "\"pgsluice_reset\"\nExecute \"\" 0\nSync\nQuery \"select 1\"\n");
    script.run();
}

// What is sent for one that may not be taken back, to that server and to those behind it.
const std::string resets_app_a =
    "Close S \"pgsluice_reset\"\nParse \"pgsluice_reset\" \"reset \"app\".\"a\"\"\n"
    "Bind \"\" \"pgsluice_reset\"\nExecute \"\" 0\nSync\n";

TEST(Replay, one_that_may_not_take_back_what_another_has_set_takes_another_server) {
    Script script = preserving();
    script.add_client();
    script.client_sends(client::query("set app.a = '1'"))
        .expect_to_server("Query \"set app.a = '1'\"\n")
        .server_sends(server::command_complete("SET") + server::ready())
        .then([](World& world) { world.server(0).take(); })
        .server_sends(answers({{"s", "app.a", "1"}}))
        .client_sends(1, client::query("select 1"))
        .expect_to_server(resets_app_a)
        .server_sends(server::close_complete() + server::error("42501", "permission denied") + server::ready())
        .expect_to_server(1, "Query \"select 1\"\n")
        .server_sends(1, server::command_complete("SELECT 1") + server::ready())
        .expect_to_client(1, "CommandComplete \"SELECT 1\"\nReadyForQuery I\n");
    script.run();
}

TEST(Replay, rights_are_there_before_the_message_is_sent) {
    Script script = preserving();
    script.client_sends(client::query("set role ann"))
        .expect_to_server("Query \"set role ann\"\n")
        .server_sends(server::command_complete("SET") + server::ready())
        .expect_to_server(asks_first())
        .server_sends(answers({{"s", "role", "ann"}}))
        .expect([](World& world) {
            // As if another had used it meanwhile.
            world.pool().retire_servers(metrics::ServerClose::lifetime);
        })
        .client_sends(client::query("select 1"))
        .expect_to_server(1,
                          "Parse \"pgsluice_set\" \"select where pg_catalog.set_config($1, $2, false) is null\"\nBind "
                          "\"\" \"pgsluice_set\" "
                          "\"role\" \"ann\"\nExecute \"\" 0\nSync\n")
        .server_sends(1, server::parse_complete() + server::bind_complete() + server::command_complete("SELECT 0") +
                             server::ready())
        .expect_to_server(1, "Query \"select 1\"\n");
    script.run();
}

TEST(Replay, rights_that_cannot_be_restored_let_nothing_run) {
    Script script = preserving();
    script.client_sends(client::query("set role ann"))
        .server_sends(server::command_complete("SET") + server::ready())
        .server_sends(answers({{"s", "role", "ann"}}))
        .expect([](World& world) { world.pool().retire_servers(metrics::ServerClose::lifetime); })
        .client_sends(client::query("select 1"))
        .server_sends(1, server::error("42501", "permission denied to set role") + server::ready())
        .expect([](World& world) {
            EXPECT_EQ(test::describe_client(world.server(1).take()).find("Query"), std::string::npos);
            EXPECT_TRUE(world.client(0).ended.has_value());
        });
    script.run();
}

}  // namespace
}  // namespace pgsluice::session
