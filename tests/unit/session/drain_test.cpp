// A session that is to end: at once where nothing is open, else with the end of its transaction.
#include <gtest/gtest.h>
#include <support/script.hpp>

namespace pgsluice::session {
namespace {

using metrics::Disconnect;
using metrics::ServerState;
using test::describe;
using test::describe_client;
using test::Script;
using test::World;
namespace client = test::client;
namespace server = test::server;

const std::string shut_down =
    "ErrorResponse FATAL 57P01 \"terminating connection due to administrator command\" R=\"pgsluice\"\n";

void drain(Script& script, std::size_t who = 0) {
    script.then([who](World& world) {
        if (who >= world.clients() || world.client(who).session == nullptr) return;
        world.session(who).drain();
        world.settle();
    });
}
void expect_alive(World& world) {
    EXPECT_FALSE(world.client(0).ended);
}
void expect_clean_end(World& world) {
    EXPECT_EQ(world.client(0).ended, Disconnect::shutdown);
    EXPECT_EQ(world.pools().gauge(ServerState::idle), 1);
    EXPECT_EQ(world.worker_metrics().cancels[metrics::CancelOutcome::forwarded].value(), 0U);
}

TEST(Drain, ends_a_client_at_rest_at_once) {
    Script script;
    script.exchange(0, 0, "select 1");
    drain(script);
    script.expect_to_client(shut_down).expect(expect_clean_end);
    script.run();
}

TEST(Drain, lets_a_running_query_end) {
    Script script;
    script.client_sends(client::query("select 1"));
    drain(script);
    script.expect(expect_alive)
        .expect_to_client("")
        .server_sends(server::command_complete("SELECT 1") + server::ready())
        .expect_to_client("CommandComplete \"SELECT 1\"\nReadyForQuery I\n" + shut_down)
        .expect(expect_clean_end);
    script.run();
}

TEST(Drain, lets_a_transaction_end) {
    Script script;
    script.client_sends(client::query("begin")).server_sends(server::command_complete("BEGIN") + server::ready('T'));
    drain(script);
    script.client_sends(client::query("commit"))
        .expect_to_server("Query \"begin\"\nQuery \"commit\"\n")
        .expect(expect_alive)
        .server_sends(server::command_complete("COMMIT") + server::ready())
        .expect_to_client("CommandComplete \"BEGIN\"\nReadyForQuery T\nCommandComplete \"COMMIT\"\nReadyForQuery I\n" +
                          shut_down)
        .expect(expect_clean_end);
    script.run();
}

TEST(Drain, lets_a_pipeline_end) {
    Script script;
    script.client_sends(client::query("a") + client::query("b"));
    drain(script);
    script.server_sends(server::command_complete("A") + server::ready())
        .expect(expect_alive)
        .server_sends(server::command_complete("B") + server::ready())
        .expect_to_client("CommandComplete \"A\"\nReadyForQuery I\nCommandComplete \"B\"\nReadyForQuery I\n" +
                          shut_down)
        .expect(expect_clean_end);
    script.run();
}

TEST(Drain, lets_an_open_batch_end) {
    Script script;
    script.client_sends(client::parse("", "select 1") + client::flush()).server_sends(server::parse_complete());
    drain(script);
    script.expect(expect_alive)
        .client_sends(client::sync())
        .server_sends(server::ready())
        .expect_to_client("ParseComplete\nReadyForQuery I\n" + shut_down)
        .expect(expect_clean_end);
    script.run();
}

TEST(Drain, ends_a_client_that_waits_for_a_server) {
    Script script;
    script.add_client()
        .client_sends(client::query("begin"))
        .server_sends(server::command_complete("BEGIN") + server::ready('T'))
        .client_sends(1, client::query("select 1"));
    drain(script, 1);
    script.expect_to_client(1, shut_down).expect([](World& world) { EXPECT_EQ(world.pool().waiting(), 0U); });
    script.run();
}

TEST(Drain, ends_a_client_that_has_sent_half_a_message) {
    Script script;
    script.client_sends(client::query("select 1").substr(0, 7));
    drain(script);
    script.expect_to_client(shut_down).expect_to_server("").expect(expect_clean_end);
    script.run();
}

TEST(Drain, is_the_same_where_a_server_is_kept) {
    World::Options options;
    options.pool.mode = config::PoolMode::session;
    for (const bool is_in_transaction : {false, true}) {
        Script script(options);
        if (is_in_transaction)
            script.client_sends(client::query("begin"))
                .server_sends(server::command_complete("BEGIN") + server::ready('T'));
        drain(script);
        if (is_in_transaction)
            script.expect(expect_alive)
                .client_sends(client::query("commit"))
                .server_sends(server::command_complete("COMMIT") + server::ready());
        script
            .expect([](World& world) {
                const std::string told = describe(world.client(0).peer.take());
                EXPECT_TRUE(told.ends_with(shut_down)) << told;
                EXPECT_TRUE(describe_client(world.server(0).take()).ends_with("Query \"DISCARD ALL\"\n"));
            })
            .server_sends(server::command_complete("DISCARD ALL") + server::ready())
            .expect(expect_clean_end);
        script.run();
    }
}

TEST(Drain, is_no_error_where_the_client_leaves_first) {
    Script script;
    script.client_sends(client::query("begin")).server_sends(server::command_complete("BEGIN") + server::ready('T'));
    drain(script);
    script.client_sends(client::terminate())
        .expect_to_client("CommandComplete \"BEGIN\"\nReadyForQuery T\n")
        .expect([](World& world) { EXPECT_EQ(world.client(0).ended, Disconnect::client_left); });
    script.run();
}

}  // namespace
}  // namespace pgsluice::session
