// What a server has sent and nobody has taken yet belongs to the client that it works for: neither it nor its rest may
// come to the next one.
#include <gtest/gtest.h>
#include <support/script.hpp>

namespace pgsluice::session {
namespace {

using metrics::ServerState;
using test::describe;
using test::Script;
using test::World;
namespace client = test::client;
namespace server = test::server;

const Bytes notification = server::notification(4711, "news", "hello");
const Bytes first_half = notification.substr(0, notification.size() / 2);
const Bytes second_half = notification.substr(notification.size() / 2);
const std::string answer =
    "RowDescription \"?column?\"\nDataRow \"1\"\nCommandComplete \"SELECT 1\"\nReadyForQuery I\n";

// Client 0 has been answered, and half a message has come behind that. Client 1 waits for the server.
void answer_and_a_half(Script& script) {
    script.add_client()
        .client_sends(client::query("select 1"))
        .expect_to_server("Query \"select 1\"\n")
        .server_sends(server::one_row("1") + first_half)
        .expect_to_client(answer)
        .client_sends(1, client::query("select 2"));
}
void expect_kept(World& world) {
    EXPECT_EQ(world.pools().gauge(ServerState::active), 1);
    EXPECT_EQ(world.pool().waiting(), 1U);
}

TEST(CheckIn, waits_for_the_rest_of_a_message) {
    Script script;
    answer_and_a_half(script);
    script.expect(expect_kept)
        .server_sends(second_half)
        .expect_to_client("NotificationResponse 4711 \"news\" \"hello\"\n")
        .expect_to_server("Query \"select 2\"\n");
    script.run_whole_unbroken();
}

TEST(CheckIn, waits_for_the_rest_of_a_message_whatever_the_client_sends_meanwhile) {
    Script script;
    answer_and_a_half(script);
    script.client_sends(client::flush())
        .expect_to_server("Flush\n")
        .expect(expect_kept)
        .server_sends(second_half)
        .expect_to_client("NotificationResponse 4711 \"news\" \"hello\"\n")
        .expect_to_server("Query \"select 2\"\n");
    script.run_whole_unbroken();
}

TEST(CheckIn, waits_for_the_rest_of_a_message_when_all_has_been_sent_at_last) {
    Script script;
    answer_and_a_half(script);
    script
        .expect([](World& world) {
            world.server(0).peer.drain();
            world.settle();
        })
        .expect(expect_kept);
    script.run_whole_unbroken();
}

TEST(CheckIn, of_half_a_message_is_a_close_where_its_client_leaves) {
    for (const bool says_so : {true, false}) {
        Script script;
        answer_and_a_half(script);
        if (says_so) script.client_sends(client::terminate());
        script.client_leaves()
            .expect([](World& world) { EXPECT_FALSE(world.server(0).is_open()); })
            .expect_to_server(1, "Query \"select 2\"\n");
        script.run_whole_unbroken();
    }
}

// It has answered what restored the settings of a login, and more than that.
class AfterStartup : public testing::Test {
  protected:
    AfterStartup() {
        world.add_client();
        world.add_client({{"application_name", "psql"}});
        world.client_sends(0, client::query("select 1"));
        world.server(0).take();
        world.client(0).peer.take();
    }
    void say_behind_it(const Bytes& more) {
        world.server_sends(0, server::parse_complete() + server::bind_complete() + server::row({"psql"}) +
                                  server::command_complete("SELECT 1") + server::ready() + more);
    }
    std::string seen_by(std::size_t who) { return describe(world.client(who).peer.take()); }

    World world;
};

TEST_F(AfterStartup, an_answer_to_nothing_is_not_the_next_clients) {
    say_behind_it(server::one_row("stolen"));
    EXPECT_FALSE(world.server(0).is_open());
    EXPECT_NE(seen_by(1).find("ErrorResponse FATAL 08006 \"lost synchronization"), std::string::npos);
    world.server_sends(1, server::one_row("1"));
    EXPECT_EQ(seen_by(0), answer);
}

TEST_F(AfterStartup, half_a_message_is_not_the_next_clients) {
    say_behind_it(first_half);
    EXPECT_EQ(test::describe_client(world.server(0).take()), "");
    EXPECT_TRUE(seen_by(1).ends_with("ReadyForQuery I\n"));
    world.server_sends(0, second_half);
    EXPECT_EQ(seen_by(1), "NotificationResponse 4711 \"news\" \"hello\"\n");
    EXPECT_EQ(test::describe_client(world.server(0).take()), "Query \"select 1\"\n");
    world.server_sends(0, server::one_row("1"));
    EXPECT_EQ(seen_by(0), answer);
}

}  // namespace
}  // namespace pgsluice::session
