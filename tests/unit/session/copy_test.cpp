// COPY through a whole session: by simple and extended query, its failures, and what arrives too late.
#include <gtest/gtest.h>
#include <support/script.hpp>

namespace pgsluice::session {
namespace {

using metrics::ServerState;
using test::Script;
using test::World;
namespace client = test::client;
namespace server = test::server;

void expect_idle_server(World& world) {
    EXPECT_EQ(world.pools().gauge(ServerState::idle), 1);
}

TEST(Copy, in_by_a_simple_query) {
    Script script;
    script.client_sends(client::query("copy t from stdin"))
        .server_sends(server::copy_in_response())
        .expect_to_client("CopyInResponse 5\n")
        .client_sends(client::copy_data("1\n") + client::copy_data("2\n") + client::copy_done())
        .expect_to_server("Query \"copy t from stdin\"\nCopyData \"1\\x0a\"\nCopyData \"2\\x0a\"\nCopyDone\n")
        .server_sends(server::command_complete("COPY 2") + server::ready())
        .expect_to_client("CommandComplete \"COPY 2\"\nReadyForQuery I\n")
        .expect(expect_idle_server);
    script.run();
}

TEST(Copy, in_by_an_extended_query_as_libpq_sends_it) {
    Script script;
    script.client_sends(client::extended("copy") + client::sync())
        .server_sends(server::parse_complete() + server::bind_complete() + server::no_data() +
                      server::copy_in_response())
        .client_sends(client::copy_data("1\n") + client::copy_done() + client::sync())
        .expect_to_server(
            "Parse \"\" \"copy\"\nBind \"\" \"\"\nDescribe P \"\"\nExecute \"\" 0\nSync\nCopyData "
            "\"1\\x0a\"\nCopyDone\n"
            "Sync\n")
        .server_sends(server::command_complete("COPY 1") + server::ready())
        .expect_to_client(
            "ParseComplete\nBindComplete\nNoData\nCopyInResponse 5\nCommandComplete \"COPY 1\"\nReadyForQuery I\n")
        .expect(expect_idle_server);
    script.run();
}

// PostgreSQL refuses what is no data of the COPY, and ends. A Terminate behind it is not asked any more.
TEST(Copy, what_breaks_it_is_answered_before_a_terminate_is_heard) {
    const Bytes breaks = client::bind() + client::sync();
    for (const bool is_early : {false, true}) {
        Script script;
        script.client_sends(client::extended("copy") + client::sync() + (is_early ? breaks : Bytes()));
        script.server_sends(server::parse_complete() + server::bind_complete() + server::no_data() +
                            server::copy_in_response());
        script.client_sends((is_early ? Bytes() : breaks) + client::terminate())
            .expect([](World& world) { EXPECT_FALSE(world.client(0).ended); })
            .then([](World& world) { world.client(0).peer.take(); })
            .server_sends(server::error("08P01", "unexpected message type 0x42 during COPY from stdin"))
            .server_sends(server::fatal("08P01", "protocol synchronization was lost"))
            .server_leaves()
            .expect_to_client(
                "ErrorResponse ERROR 08P01 \"unexpected message type 0x42 during COPY from stdin\"\n"
                "ErrorResponse FATAL 08P01 \"protocol synchronization was lost\"\n");
        script.run();
    }
}

TEST(Copy, what_breaks_it_ends_the_server_before_a_terminate_is_heard_too) {
    Script script;
    script.client_sends(client::extended("copy") + client::sync())
        .server_sends(server::parse_complete() + server::bind_complete() + server::no_data() +
                      server::copy_in_response())
        .client_sends(client::query("select 1"))
        .server_sends(server::error("08P01", "unexpected message type 0x51 during COPY from stdin"))
        .then([](World& world) { world.server(0).take(), world.client(0).peer.take(); })
        .client_sends(client::terminate())
        .expect_to_server("Sync\n")
        .expect([](World& world) { EXPECT_FALSE(world.client(0).ended); })
        .server_sends(server::fatal("08P01", "protocol synchronization was lost"))
        .server_leaves()
        .expect_to_client("ErrorResponse FATAL 08P01 \"protocol synchronization was lost\"\n");
    script.run();
}

// While it reads PostgreSQL looks at nothing of a Flush but its type.
TEST(Copy, a_flush_with_a_body_is_ignored) {
    Script script;
    script.client_sends(client::query("copy t from stdin"))
        .server_sends(server::copy_in_response())
        .client_sends(client::message('H', "x") + client::copy_data("1\n") + client::copy_done())
        .expect_to_server("Query \"copy t from stdin\"\nCopyData \"1\\x0a\"\nCopyDone\n")
        .server_sends(server::command_complete("COPY 1") + server::ready())
        .expect(expect_idle_server);
    script.run();
}

TEST(Copy, a_bad_row_found_before_the_end_was_sent) {
    Script script;
    script.client_sends(client::query("copy t from stdin"))
        .server_sends(server::copy_in_response())
        .client_sends(client::copy_data("bad\n"))
        .server_sends(server::error("22P04", "bad row") + server::ready())
        .expect_to_client("CopyInResponse 5\nErrorResponse ERROR 22P04 \"bad row\"\nReadyForQuery I\n")
        .expect(expect_idle_server)
        // It has not heard yet, and PostgreSQL drops these.
        .client_sends(client::copy_data("more\n") + client::copy_done())
        .expect_to_client("")
        .expect_to_server("Query \"copy t from stdin\"\nCopyData \"bad\\x0a\"\n")
        .exchange(0, 0, "select 1");
    script.run();
}

TEST(Copy, late_data_in_a_transaction_goes_to_the_server_and_is_owed_nothing) {
    Script script;
    script.client_sends(client::query("begin; copy"))
        .server_sends(server::command_complete("BEGIN") + server::copy_in_response())
        .client_sends(client::copy_data("bad\n"))
        .server_sends(server::error("22P04", "bad row") + server::ready('E'))
        .client_sends(client::copy_data("more\n") + client::copy_done() + client::query("rollback"))
        .expect_to_server(
            "Query \"begin; copy\"\nCopyData \"bad\\x0a\"\nCopyData \"more\\x0a\"\nCopyDone\nQuery \"rollback\"\n")
        .server_sends(server::command_complete("ROLLBACK") + server::ready())
        .expect(expect_idle_server);
    script.run();
}

TEST(Copy, an_extended_one_that_fails_waits_for_the_sync) {
    Script script;
    script.client_sends(client::extended("copy") + client::flush())
        .server_sends(server::parse_complete() + server::bind_complete() + server::no_data() +
                      server::copy_in_response())
        .client_sends(client::copy_data("bad\n"))
        .server_sends(server::error("22P04", "bad row"))
        .client_sends(client::copy_data("more\n") + client::copy_done() + client::sync())
        .expect_to_server(
            "Parse \"\" \"copy\"\nBind \"\" \"\"\nDescribe P \"\"\nExecute \"\" 0\nFlush\nCopyData "
            "\"bad\\x0a\"\nSync\n")
        .server_sends(server::ready())
        .expect_to_client(
            "ParseComplete\nBindComplete\nNoData\nCopyInResponse 5\nErrorResponse ERROR 22P04 \"bad "
            "row\"\nReadyForQuery I\n")
        .expect(expect_idle_server);
    script.run();
}

// That Sync may have stood unread when the COPY failed, and be answered late: nobody else is given that server before
// it is known that nothing more comes.
TEST(Copy, a_sync_that_a_failed_copy_may_have_left_unread_is_waited_for) {
    Script script;
    script.add_client()
        .client_sends(client::query("copy") + client::copy_data("bad\n") + client::sync())
        .server_sends(server::copy_in_response() + server::error("22P04", "bad row") + server::ready())
        .client_sends(1, client::query("other"))
        .expect_to_server("Query \"copy\"\nCopyData \"bad\\x0a\"\nSync\nClose S \"pgsluice_proof\"\nSync\n")
        .server_sends(server::ready())
        .expect_to_server("")
        .server_sends(server::close_complete() + server::ready())
        .expect_to_client("CopyInResponse 5\nErrorResponse ERROR 22P04 \"bad row\"\nReadyForQuery I\nReadyForQuery I\n")
        .expect_to_server("Query \"other\"\n");
    script.run();
}

TEST(Copy, its_doubt_is_settled_when_the_client_has_left_too) {
    Script script;
    script.client_sends(client::query("copy") + client::sync())
        .server_sends(server::copy_in_response())
        .client_leaves()
        .expect_to_server("Query \"copy\"\nSync\nCopyFail \"client left\"\n")
        .server_sends(server::error("57014", "COPY from stdin failed") + server::ready())
        .expect_to_server("Close S \"pgsluice_proof\"\nSync\n")
        .server_sends(server::ready() + server::close_complete() + server::ready())
        .expect([](World& world) { EXPECT_TRUE(world.server(0).is_open()); });
    script.run();
}

TEST(Copy, out_and_both_ways_are_relayed) {
    Script script;
    script.client_sends(client::query("copy t to stdout"))
        .server_sends(server::copy_out_response() + server::copy_data("1\n") + server::copy_done() +
                      server::command_complete("COPY 1") + server::ready())
        .expect_to_client(
            "CopyOutResponse 5\nCopyData \"1\\x0a\"\nCopyDone\nCommandComplete \"COPY 1\"\nReadyForQuery I\n")
        .client_sends(client::query("start_replication"))
        .server_sends(server::copy_both_response() + server::copy_data("w"))
        .client_sends(client::copy_data("r") + client::copy_done())
        .server_sends(server::copy_done() + server::command_complete("START_STREAMING") + server::ready())
        .expect_to_client(
            "CopyBothResponse 3\nCopyData \"w\"\nCopyDone\nCommandComplete \"START_STREAMING\"\nReadyForQuery I\n")
        .expect_to_server("Query \"copy t to stdout\"\nQuery \"start_replication\"\nCopyData \"r\"\nCopyDone\n")
        .expect(expect_idle_server);
    script.run();
}

TEST(Copy, a_large_message_streams_in_parts) {
    const Bytes data = client::copy_data(std::string(100000, 'x'));
    Script script;
    script.client_sends(client::query("copy t from stdin"))
        .server_sends(server::copy_in_response())
        .expect_to_server("Query \"copy t from stdin\"\n")
        .client_sends(data.substr(0, 30000))
        .expect([](World& world) { EXPECT_EQ(world.server(0).take().size(), 30000U); })
        .client_sends(data.substr(30000))
        .expect([size = data.size()](World& world) { EXPECT_EQ(world.server(0).take().size(), size - 30000U); });
    script.run_whole_unbroken();
}

// Rows are passed on by the dozen; what stands between them is not.
TEST(Copy, rows_with_other_messages_among_them_keep_their_order) {
    Script script;
    script.client_sends(client::query("copy t to stdout"))
        .server_sends(server::copy_out_response() + server::copy_data("1\n") + server::copy_data("2\n") +
                      server::notice("careful") + server::copy_data("3\n") + server::copy_done() +
                      server::command_complete("COPY 3") + server::ready())
        .expect_to_client(
            "CopyOutResponse 5\nCopyData \"1\\x0a\"\nCopyData \"2\\x0a\"\nNoticeResponse NOTICE 00000 \"careful\"\n"
            "CopyData \"3\\x0a\"\nCopyDone\nCommandComplete \"COPY 3\"\nReadyForQuery I\n")
        .expect(expect_idle_server);
    script.run();
}

TEST(Copy, data_in_front_of_a_malformed_message_reaches_the_server) {
    Script script;
    script.client_sends(client::query("copy t from stdin"))
        .server_sends(server::copy_in_response())
        .client_sends(client::copy_data("1\n") + client::copy_data("2\n") + Bytes("d\0\0\0\3", 5))
        .expect_to_server(
            "Query \"copy t from stdin\"\nCopyData \"1\\x0a\"\nCopyData \"2\\x0a\"\nCopyFail \"client left\"\n")
        .expect_to_client("CopyInResponse 5\nErrorResponse FATAL 08P01 \"invalid message length\" R=\"pgsluice\"\n");
    script.run();
}

}  // namespace
}  // namespace pgsluice::session
