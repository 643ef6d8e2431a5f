// What goes through a session unchanged: queries, pipelines, portals, function calls, notices.
#include <gtest/gtest.h>
#include <support/script.hpp>

namespace pgsluice::session {
namespace {

using test::Script;
namespace client = test::client;
namespace server = test::server;

TEST(Relay, a_query_takes_a_server_and_gives_it_back) {
    Script script;
    script.client_sends(client::query("select 1"))
        .expect_to_server("Query \"select 1\"\n")
        .expect([](test::World& world) { EXPECT_EQ(world.session(0).state(), metrics::ClientState::active); })
        .server_sends(server::one_row("1"))
        .expect_to_client("RowDescription \"?column?\"\nDataRow \"1\"\nCommandComplete \"SELECT 1\"\nReadyForQuery I\n")
        .expect([](test::World& world) {
            EXPECT_EQ(world.session(0).state(), metrics::ClientState::idle);
            EXPECT_EQ(world.pools().gauge(metrics::ServerState::idle), 1);
        });
    script.run();
}

// All that one has sent at once would keep the others of its worker waiting.
TEST(Relay, a_client_has_its_turn_and_then_the_others_have) {
    test::World::Options options;
    options.reading_takes = Milliseconds(1);
    Script script(options);
    Bytes many;
    std::string told;
    for (int i = 0; i < 50; ++i) {
        many += client::query("select '" + std::string(1000, 'x') + "'");
        told += "Query \"select '" + std::string(192, 'x') + "...\"\n";
    }
    script.client_sends(many).expect_to_server(told).expect(
        [](test::World& world) { EXPECT_GT(world.client(0).peer.deliveries(), 9U); });
    script.run_whole_unbroken();
}

// The dearest that a server says: for each, a set of settings changes.
TEST(Relay, a_server_has_its_turn_and_then_the_others_have) {
    test::World::Options options;
    options.reading_takes = Milliseconds(1);
    Script script(options);
    Bytes many;
    std::string told;
    for (int i = 0; i < 100; ++i) {
        const std::string value(1, i % 2 == 0 ? 'a' : 'b');
        many += server::parameter_status("TimeZone", value);
        told += "ParameterStatus \"TimeZone\" \"" + value + "\"\n";
    }
    script.add_client()
        .client_sends(client::query("select f()"))
        .expect_to_server("Query \"select f()\"\n")
        .server_sends(many + server::one_row("1"))
        .expect_to_client(told +
                          "RowDescription \"?column?\"\nDataRow \"1\"\nCommandComplete \"SELECT 1\"\nReadyForQuery I\n")
        .expect([](test::World& world) { EXPECT_GT(world.server(0).peer.deliveries(), 12U); });
    script.run_whole_unbroken();
}

TEST(Relay, a_server_that_reports_more_than_can_be_carried_is_lost) {
    Script script;
    script.add_client()
        .client_sends(client::query("select f()"))
        .expect_to_server("Query \"select f()\"\n")
        .server_sends(server::parameter_status("TimeZone", std::string(140000, 'x')))
        .expect([](test::World& world) { EXPECT_TRUE(world.client(0).peer.is_closed()); });
    script.run_whole_unbroken();
}

TEST(Relay, a_transaction_keeps_its_server_from_others) {
    Script script;
    script.add_client()
        .client_sends(client::query("begin"))
        .expect_to_server("Query \"begin\"\n")
        .server_sends(server::command_complete("BEGIN") + server::ready('T'))
        .expect_to_client("CommandComplete \"BEGIN\"\nReadyForQuery T\n")
        .client_sends(1, client::query("select 2"))
        .expect_to_server("")
        .client_sends(client::query("commit"))
        .expect_to_server("Query \"commit\"\n")
        .server_sends(server::command_complete("COMMIT") + server::ready())
        .expect_to_client("CommandComplete \"COMMIT\"\nReadyForQuery I\n")
        .expect_to_server("Query \"select 2\"\n")
        .server_sends(server::one_row("2"))
        .expect_to_client(1,
                          "RowDescription \"?column?\"\nDataRow \"2\"\nCommandComplete \"SELECT 1\"\nReadyForQuery I\n")
        .expect_to_client(0, "");
    script.run();
}

}  // namespace
}  // namespace pgsluice::session
