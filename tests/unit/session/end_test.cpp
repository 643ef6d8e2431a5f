// How sessions end: Terminate, malformed frames, lost servers; and what they leave behind.
#include <gtest/gtest.h>
#include <support/script.hpp>

namespace pgsluice::session {
namespace {

using metrics::Disconnect;
using metrics::ServerState;
using test::Script;
using test::World;
namespace client = test::client;
namespace server = test::server;

TEST(End, terminate_gives_back_what_the_client_had) {
    Script script;
    script.exchange(0, 0, "select 1").client_sends(client::terminate()).expect([](World& world) {
        EXPECT_EQ(world.client(0).ended, Disconnect::client_left);
        EXPECT_EQ(world.pools().gauge(ServerState::idle), 1);
    });
    script.run();
}

// A client may say good-bye in the same packet: what it asked first is done and answered first.
TEST(End, what_stands_in_front_of_a_terminate_is_answered_first) {
    Script script;
    script.client_sends(client::query("insert") + client::terminate())
        .expect_to_server("Query \"insert\"\n")
        .expect([](World& world) {
            EXPECT_EQ(world.client(0).ended, std::nullopt);
            EXPECT_TRUE(world.client(0).peer.is_paused(Pause::ahead));
        })
        .server_sends(server::command_complete("INSERT 0 1") + server::ready())
        .expect_to_client("CommandComplete \"INSERT 0 1\"\nReadyForQuery I\n")
        .expect([](World& world) {
            EXPECT_EQ(world.client(0).ended, Disconnect::client_left);
            EXPECT_EQ(world.pools().gauge(ServerState::idle), 1);
        });
    script.run();
}

TEST(End, terminate_behind_a_failure_without_its_sync_gives_the_server_back) {
    Script script;
    script.client_sends(client::bind("", "nope") + client::flush())
        .server_sends(server::error("26000", "no"))
        .then([](World& world) { world.server(0).take(), world.client(0).peer.take(); })
        .client_sends(client::terminate())
        .expect_to_server("Sync\n")
        .server_sends(server::ready())
        .expect_to_client("")
        .expect([](World& world) {
            EXPECT_EQ(world.client(0).ended, Disconnect::client_left);
            EXPECT_EQ(world.pools().gauge(ServerState::idle), 1);
        });
    script.run();
}

TEST(End, what_stands_in_front_of_a_malformed_frame_is_answered_first) {
    Script script;
    script.client_sends(client::bind("", "nope") + client::message('y', ""))
        .expect_to_server("Bind \"\" \"nope\"\nFlush\n")
        .server_sends(server::error("26000", "no"))
        .expect_to_client(
            "ErrorResponse ERROR 26000 \"no\"\n"
            "ErrorResponse FATAL 08P01 \"invalid frontend message type 121\" R=\"pgsluice\"\n");
    script.run();
}

TEST(End, replies_of_ours_stand_in_front_of_the_fatal_error) {
    Script script;
    script.client_sends(client::sync() + client::with_length('Q', 3))
        .expect_to_client("ReadyForQuery I\nErrorResponse FATAL 08P01 \"invalid message length\" R=\"pgsluice\"\n")
        .expect([](World& world) { EXPECT_EQ(world.client(0).ended, Disconnect::protocol_violation); });
    script.run();
}

TEST(End, a_sync_with_a_body_fails_the_transaction_and_leaves_the_unnamed_statement) {
    Script script;
    script.client_sends(client::query("begin"))
        .server_sends(server::command_complete("BEGIN") + server::ready('T'))
        .expect([](World& world) { world.server(0).take(), world.client(0).peer.take(); })
        .client_sends(client::message('S', "body"))
        .expect_to_server("Parse \"pgsluice_refused\" \"refused by pgsluice\"\nSync\n")
        .server_sends(server::error("42601", "syntax error") + server::ready('E'))
        .expect_to_client("ErrorResponse ERROR 08P01 \"invalid message format\" R=\"pgsluice\"\nReadyForQuery E\n");
    script.run();
}

TEST(End, a_malformed_frame_costs_no_server) {
    struct Case {
        Bytes bytes;
        std::string text;
    };
    const Case cases[] = {
        {client::message('y', ""), "invalid frontend message type 121"},
        {client::with_length('Q', 3), "invalid message length"},
        {client::with_length('S', 20000), "invalid message length"},
        {client::password("x"), "invalid frontend message type 112"},
    };
    for (const auto& [bytes, text] : cases) {
        Script script;
        script.client_sends(client::query("begin"))
            .server_sends(server::command_complete("BEGIN") + server::ready('T'))
            .expect_to_server("Query \"begin\"\n")
            .client_sends(bytes)
            .expect_to_client("CommandComplete \"BEGIN\"\nReadyForQuery T\nErrorResponse FATAL 08P01 \"" + text +
                              "\" R=\"pgsluice\"\n")
            .expect_to_server("Query \"ROLLBACK\"\n")
            .server_sends(server::command_complete("ROLLBACK") + server::ready())
            .expect([](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::idle), 1); });
        script.run();
    }
}

TEST(End, a_server_that_is_lost_ends_its_client_with_one_error) {
    Script script;
    script.client_sends(client::query("select 1"))
        .server_sends(server::row_description({"a"}))
        .server_leaves()
        .expect_to_client(
            "RowDescription \"a\"\nErrorResponse FATAL 08006 \"server closed the connection unexpectedly\" D=\"The "
            "server "
            "db:5432 ended the connection without a message while this client was using it.\" R=\"pgsluice\"\n");
    script.run();
}

TEST(End, the_last_words_of_a_server_are_the_only_ones) {
    Script script;
    script.client_sends(client::query("select 1"))
        .server_sends(server::fatal("57P01", "terminating connection"))
        .server_leaves()
        .expect_to_client("ErrorResponse FATAL 57P01 \"terminating connection\"\n")
        .expect([](World& world) {
            EXPECT_EQ(world.client(0).ended, Disconnect::server_lost);
            EXPECT_TRUE(world.client(0).peer.is_closed());
        });
    script.run_whole();
}

// It ends the connection to the server, which this client uses no longer.
TEST(End, last_words_behind_the_answer_are_not_the_clients) {
    Script script;
    script.client_sends(client::query("select 1"))
        .server_sends(server::command_complete("SELECT 1") + server::ready() +
                      server::fatal("57P01", "terminating connection"))
        .server_leaves()
        .expect_to_client("CommandComplete \"SELECT 1\"\nReadyForQuery I\n")
        .expect([](World& world) { EXPECT_FALSE(world.client(0).ended); })
        .client_sends(client::query("select 2"))
        .expect_to_server(1, "Query \"select 2\"\n");
    script.run();
}

TEST(End, a_server_that_answers_what_nobody_asked_ends_its_client) {
    Script script;
    script.client_sends(client::query("select 1"))
        .server_sends(server::command_complete("SELECT 1") + server::parse_complete())
        .expect_to_client(
            "CommandComplete \"SELECT 1\"\nErrorResponse FATAL 08006 \"lost synchronization with the server\" D=\"The "
            "server sent a message that answers nothing it was asked.\" R=\"pgsluice\"\n")
        .expect([](World& world) { EXPECT_FALSE(world.server(0).is_open()); });
    script.run();
}

TEST(End, an_idle_server_that_speaks_unasked_is_closed) {
    Script script;
    script.exchange(0, 0, "select 1").server_sends(server::row({"secret"})).expect([](World& world) {
        EXPECT_FALSE(world.server(0).is_open());
    });
    script.run();
}

// --- Recovery: a client vanishes and its server is made fit for the next

TEST(Recovery, a_running_query_is_cancelled_and_its_reply_dropped) {
    Script script;
    script.add_client()
        .client_sends(client::query("select pg_sleep(60)"))
        .client_leaves()
        .client_sends(1, client::query("next"))
        .expect_to_server("Query \"select pg_sleep(60)\"\n")
        .expect([](World& world) { EXPECT_EQ(world.cancels().size(), 1U); })
        .server_sends(server::error("57014", "canceled") + server::ready())
        .expect_to_server("")
        .then([](World& world) { world.end_cancels(); })
        .expect_to_server("Query \"next\"\n")
        .server_sends(server::command_complete("NEXT") + server::ready())
        .expect_to_client(1, "CommandComplete \"NEXT\"\nReadyForQuery I\n");
    script.run();
}

TEST(Recovery, an_open_transaction_is_rolled_back) {
    Script script;
    script.add_client()
        .client_sends(client::query("begin"))
        .server_sends(server::command_complete("BEGIN") + server::ready('T'))
        .client_leaves()
        .expect_to_server("Query \"begin\"\nQuery \"ROLLBACK\"\n")
        .client_sends(1, client::query("next"))
        .expect_to_server("")
        .server_sends(server::command_complete("ROLLBACK") + server::ready())
        .expect_to_server("Query \"next\"\n");
    script.run();
}

TEST(Recovery, an_open_batch_is_made_to_fail) {
    Script script;
    script.client_sends(client::parse("", "a") + client::flush())
        .server_sends(server::parse_complete())
        .client_leaves()
        .expect_to_server(
            "Parse \"\" \"a\"\nFlush\nParse \"\" \"pgsluice: the client has left without the Sync of its "
            "batch\"\nSync\n")
        .server_sends(server::error("42601", "syntax") + server::ready())
        .expect([](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::idle), 1); });
    script.run();
}

TEST(End, a_malformed_frame_inside_a_copy_costs_no_server) {
    for (const Bytes& bytes :
         {client::message('y', ""), client::with_length('d', 3), client::with_length('c', 20000)}) {
        Script script;
        script.client_sends(client::query("copy t from stdin"))
            .server_sends(server::copy_in_response())
            .client_sends(client::copy_data("1\n") + bytes)
            .expect_to_server("Query \"copy t from stdin\"\nCopyData \"1\\x0a\"\nCopyFail \"client left\"\n")
            .server_sends(server::error("57014", "COPY from stdin failed") + server::ready())
            .then([](World& world) { world.end_cancels(); })
            .expect([](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::idle), 1); });
        script.run();
    }
}

TEST(Recovery, a_copy_is_given_up) {
    Script script;
    script.client_sends(client::query("copy t from stdin"))
        .server_sends(server::copy_in_response())
        .client_sends(client::copy_data("1\n"))
        .client_leaves()
        .expect_to_server("Query \"copy t from stdin\"\nCopyData \"1\\x0a\"\nCopyFail \"client left\"\n")
        .server_sends(server::error("57014", "COPY from stdin failed") + server::ready())
        .then([](World& world) { world.end_cancels(); })
        .expect([](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::idle), 1); });
    script.run();
}

// One that is longer than what is held back until it is whole.
TEST(Recovery, a_long_message_half_sent_costs_its_server) {
    Script script;
    script.client_sends(client::query("copy t from stdin"))
        .server_sends(server::copy_in_response())
        .client_sends(client::with_length('d', 9000, "half"))
        .client_leaves()
        .expect([](World& world) {
            EXPECT_FALSE(world.server(0).is_open());
            EXPECT_EQ(world.server(0).closed_for, metrics::ServerClose::unclean);
        });
    script.run_whole();
}

TEST(Recovery, a_short_message_half_sent_is_never_sent_on) {
    const Bytes halves[] = {client::with_length('d', 1000, "half"), client::with_length('Q', 1000, "half")};
    for (const Bytes& half : halves) {
        Script script;
        script.client_sends(client::query("begin"))
            .server_sends(server::command_complete("BEGIN") + server::ready('T'))
            .expect_to_server("Query \"begin\"\n")
            .client_sends(half)
            .client_leaves()
            .expect_to_server("Query \"ROLLBACK\"\n")
            .server_sends(server::command_complete("ROLLBACK") + server::ready())
            .expect([](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::idle), 1); });
        script.run();
    }
}

TEST(Recovery, a_row_half_read_is_read_to_its_end) {
    const Bytes row = server::row({std::string(9000, 'x')});
    Script script;
    script.client_sends(client::query("select"))
        .server_sends(server::row_description({"a"}) + row.substr(0, 8500))
        .client_leaves()
        .server_sends(row.substr(8500) + server::command_complete("SELECT 1") + server::ready())
        .then([](World& world) { world.end_cancels(); })
        .expect([](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::idle), 1); });
    script.run_whole_unbroken();
}

TEST(Recovery, a_server_that_does_not_come_to_rest_is_closed) {
    Script script;
    script.client_sends(client::query("select pg_sleep(60)"))
        .client_leaves()
        .wait(std::chrono::seconds(4))
        .expect([](World& world) { EXPECT_TRUE(world.server(0).is_open()); })
        .wait(std::chrono::seconds(1))
        .expect([](World& world) { EXPECT_EQ(world.server(0).closed_for, metrics::ServerClose::reset_failed); });
    script.run();
}

// The next read of that server would begin in the middle of a message.
TEST(Recovery, a_server_that_goes_on_behind_the_last_answer_is_closed) {
    Script script;
    const Bytes more = server::notification(1, "channel", "payload");
    script.client_sends(client::query("select 1"))
        .client_leaves()
        .server_sends(server::ready() + more.substr(0, 7))
        .then([](World& world) { world.end_cancels(); })
        .expect([](World& world) { EXPECT_FALSE(world.server(0).is_open()); });
    script.run_whole();
}

}  // namespace
}  // namespace pgsluice::session
