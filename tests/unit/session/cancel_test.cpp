// A CancelRequest with a session's key: what it ends, and that it never reaches another client's query.
#include <gtest/gtest.h>
#include <support/script.hpp>

namespace pgsluice::session {
namespace {

using metrics::CancelOutcome;
using metrics::ServerState;
using test::Script;
using test::World;
namespace client = test::client;
namespace server = test::server;

const Bytes canceled = server::error("57014", "canceling statement due to user request") + server::ready();
constexpr const char* told_by_server =
    "ErrorResponse ERROR 57014 \"canceling statement due to user request\"\nReadyForQuery I\n";
constexpr const char* told_by_us =
    "ErrorResponse ERROR 57014 \"canceling statement due to user request\" R=\"pgsluice\"\n";

void cancel(Script& script, std::size_t who = 0) {
    script.then([who](World& world) {
        if (who >= world.clients() || world.client(who).session == nullptr) return;
        world.session(who).cancel();
        world.settle();
    });
}
void end_cancels(Script& script) {
    script.then([](World& world) { world.end_cancels(); });
}
void expect_outcome(Script& script, CancelOutcome outcome, std::uint64_t count = 1) {
    script.expect([outcome, count](World& world) {
        EXPECT_EQ(world.worker_metrics().cancels[outcome].value(), count);
        EXPECT_EQ(world.cancels().size(), outcome == CancelOutcome::forwarded ? count : 0);
    });
}
void begin(Script& script) {
    script.client_sends(client::query("begin"))
        .expect_to_server("Query \"begin\"\n")
        .server_sends(server::command_complete("BEGIN") + server::ready('T'))
        .expect_to_client("CommandComplete \"BEGIN\"\nReadyForQuery T\n");
}

TEST(Cancel, of_a_running_query_is_forwarded_and_the_servers_answer_relayed) {
    Script script;
    script.client_sends(client::query("select pg_sleep(60)")).expect_to_server("Query \"select pg_sleep(60)\"\n");
    cancel(script);
    expect_outcome(script, CancelOutcome::forwarded);
    end_cancels(script);
    script.expect_to_client("").server_sends(canceled).expect_to_client(told_by_server).exchange(0, 0, "select 1");
    script.run();
}

TEST(Cancel, keeps_its_server_from_the_next_client_until_it_has_ended) {
    Script script;
    script.add_client().client_sends(client::query("select pg_sleep(60)"));
    script.expect_to_server("Query \"select pg_sleep(60)\"\n");
    cancel(script);
    cancel(script);
    expect_outcome(script, CancelOutcome::forwarded, 2);
    script.server_sends(canceled)
        .expect_to_client(told_by_server)
        .expect([](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::cancelling), 1); })
        .client_sends(1, client::query("next"))
        .expect_to_server("")
        .then([](World& world) {
            if (world.cancels().size() < 2) return;
            world.pool().end_cancel(*world.cancels().back().server);
            world.cancels().pop_back();
            world.settle();
        })
        .expect_to_server("");
    end_cancels(script);
    script.expect_to_server("Query \"next\"\n")
        .server_sends(server::command_complete("NEXT") + server::ready())
        .expect_to_client(1, "CommandComplete \"NEXT\"\nReadyForQuery I\n");
    script.run();
}

TEST(Cancel, of_a_query_that_waits_for_a_server_ends_the_wait) {
    Script script;
    script.add_client();
    begin(script);
    script.client_sends(1, client::query("select 1"));
    cancel(script, 1);
    expect_outcome(script, CancelOutcome::ended_wait);
    script.expect_to_client(1, told_by_us + std::string("ReadyForQuery I\n"))
        .expect([](World& world) { EXPECT_EQ(world.pool().waiting(), 0U); })
        .exchange(0, 0, "commit")
        .expect_to_client(1, "")
        .exchange(1, 0, "select 2");
    script.run();
}

TEST(Cancel, of_a_batch_that_waits_for_a_server_skips_to_its_sync) {
    Script script;
    script.add_client();
    begin(script);
    script.client_sends(1, client::extended("select 1") + client::sync());
    cancel(script, 1);
    script.expect_to_client(1, told_by_us + std::string("ReadyForQuery I\n"))
        .exchange(0, 0, "commit")
        .exchange(1, 0, "select 2");
    script.run();
}

TEST(Cancel, of_a_client_that_runs_nothing_does_nothing) {
    Script script;
    cancel(script);
    expect_outcome(script, CancelOutcome::nothing_running);
    begin(script);
    cancel(script);
    expect_outcome(script, CancelOutcome::nothing_running, 2);
    script.exchange(0, 0, "commit");
    script.run();
}

TEST(Cancel, of_an_open_batch_is_forwarded) {
    Script script;
    script.client_sends(client::extended("select pg_sleep(60)") + client::flush())
        .server_sends(server::parse_complete() + server::bind_complete() + server::no_data());
    cancel(script);
    expect_outcome(script, CancelOutcome::forwarded);
    end_cancels(script);
    script.server_sends(server::error("57014", "canceling statement due to user request"))
        .client_sends(client::sync())
        .server_sends(server::ready())
        .expect_to_client("ParseComplete\nBindComplete\nNoData\n" + std::string(told_by_server));
    script.run();
}

TEST(Cancel, waits_until_the_settings_are_restored) {
    Script script;
    script.add_client().client_sends(client::query("set"));
    script.server_sends(server::parameter_status("TimeZone", "CET") + server::command_complete("SET") + server::ready())
        .client_sends(1, client::query("select pg_sleep(60)"));
    cancel(script, 1);
    script.expect([](World& world) { EXPECT_EQ(world.cancels().size(), 0U); })
        .server_sends(server::parse_complete() + server::bind_complete() + server::row({"UTC"}) +
                      server::command_complete("SELECT 1"))
        .expect([](World& world) { EXPECT_EQ(world.cancels().size(), 0U); })
        .server_sends(server::ready());
    expect_outcome(script, CancelOutcome::forwarded);
    end_cancels(script);
    script.server_sends(canceled).expect_to_client(1, told_by_server);
    script.run();
}

TEST(Cancel, of_a_query_that_ends_with_the_restoring_of_its_settings_ends_no_later_one) {
    Script script;
    script.add_client().client_sends(client::query("set"));
    script
        .server_sends(server::parameter_status("application_name", "mine") + server::command_complete("SET") +
                      server::ready())
        .client_sends(1, client::query("select 1"));
    cancel(script, 1);
    script
        .server_sends(server::parse_complete() + server::bind_complete() + server::row({""}) +
                      server::command_complete("SELECT 1") + server::ready() + server::command_complete("SELECT 1") +
                      server::ready())
        .expect_to_client(1, "CommandComplete \"SELECT 1\"\nReadyForQuery I\n");
    end_cancels(script);
    script.expect([](World& world) {
        const auto& cancels = world.worker_metrics().cancels;
        EXPECT_EQ(cancels[CancelOutcome::forwarded].value() + cancels[CancelOutcome::nothing_running].value(), 1U);
    });
    script.run();
}

TEST(Cancel, of_a_query_that_waits_for_its_rights_follows_it) {
    World::Options options;
    options.pool.session_state = config::SessionState::preserve;
    Script script(options);
    script.client_sends(client::query("set role ann"))
        .server_sends(server::command_complete("SET") + server::ready())
        .server_sends(server::close_complete() + server::parse_complete() + server::bind_complete() +
                      server::command_complete("SET") + server::close_complete() + server::parse_complete() +
                      server::bind_complete() + server::row({"s", "role", "ann"}) +
                      server::command_complete("SELECT 1") + server::ready())
        .expect([](World& world) { world.pool().retire_servers(metrics::ServerClose::lifetime); })
        .client_sends(client::query("select pg_sleep(60)"));
    cancel(script);
    script.expect([](World& world) { EXPECT_EQ(world.cancels().size(), 0U); })
        .server_sends(1, server::parse_complete() + server::bind_complete() + server::row({"ann"}) +
                             server::command_complete("SELECT 1") + server::ready());
    expect_outcome(script, CancelOutcome::forwarded);
    end_cancels(script);
    script.expect([](World& world) { world.client(0).peer.take(); })
        .server_sends(1, canceled)
        .expect_to_client(told_by_server);
    script.run();
}

TEST(Cancel, outlives_its_client) {
    Script script;
    script.add_client().client_sends(client::query("select pg_sleep(60)"));
    cancel(script);
    script.client_leaves().server_sends(canceled).expect(
        [](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::cancelling), 1); });
    end_cancels(script);
    script.expect([](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::idle), 1); })
        .expect_to_server("Query \"select pg_sleep(60)\"\n")
        .exchange(1, 0, "select 1");
    script.run();
}

}  // namespace
}  // namespace pgsluice::session
