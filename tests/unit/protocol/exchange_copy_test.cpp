// COPY FROM STDIN, TO STDOUT and both ways, by simple and extended query; Syncs that the server ignores meanwhile.
#include "ledger.hpp"

#include <pgsluice/protocol/sync_proof.hpp>

namespace pgsluice::protocol {
namespace {

namespace server = test::server;

TEST(ExchangeCopy, in_by_a_simple_query) {
    Ledger ledger;
    ledger.owe(Asked::query);
    EXPECT_FALSE(ledger.exchange.ignores_sync());
    EXPECT_EQ(ledger.settle(server::copy_in_response()), "forward CopyInResponse 5\n");
    EXPECT_TRUE(ledger.exchange.ignores_sync());
    ledger.owe(Asked::copy_end);
    EXPECT_FALSE(ledger.exchange.ignores_sync());
    ledger.settle(server::command_complete("COPY 2") + server::ready());
    EXPECT_TRUE(ledger.exchange.at_rest());
}

TEST(ExchangeCopy, in_by_an_extended_query_with_its_sync_behind_the_end) {
    Ledger ledger;
    ledger.owe(Asked::parse).owe(Asked::bind).owe(Asked::execute);
    ledger.settle(server::parse_complete() + server::bind_complete() + server::copy_in_response());
    EXPECT_TRUE(ledger.exchange.ignores_sync());
    ledger.owe(Asked::copy_end).owe(Asked::sync);
    ledger.settle(server::command_complete("COPY 2") + server::ready());
    EXPECT_TRUE(ledger.exchange.at_rest());
}

// libpq sends a Sync with the Execute, before it knows that a COPY begins, and another behind CopyDone.
TEST(ExchangeCopy, a_sync_sent_before_the_copy_began_is_ignored_by_the_server) {
    Ledger ledger;
    ledger.owe(Asked::execute).owe(Asked::sync);
    ledger.settle(server::copy_in_response());
    EXPECT_TRUE(ledger.exchange.needs_sync()) << "its batch goes on";
    ledger.owe(Asked::copy_end).owe(Asked::sync);
    EXPECT_EQ(ledger.settle(server::command_complete("COPY 2") + server::ready()),
              "forward CommandComplete \"COPY 2\"\nforward ReadyForQuery I\n");
    EXPECT_TRUE(ledger.exchange.at_rest());
    EXPECT_FALSE(ledger.exchange.may_copy());
}

TEST(ExchangeCopy, all_of_it_in_one_pipeline) {
    Ledger ledger;
    ledger.owe(Asked::execute).owe(Asked::copy_end).owe(Asked::sync).owe(Asked::query);
    ledger.settle(server::copy_in_response());
    EXPECT_FALSE(ledger.exchange.ignores_sync()) << "the end has been sent";
    ledger.settle(server::command_complete("COPY 2") + server::ready() + server::command_complete("SELECT 0"));
    EXPECT_FALSE(ledger.exchange.at_rest());
    ledger.settle(server::ready());
    EXPECT_TRUE(ledger.exchange.at_rest());
}

TEST(ExchangeCopy, several_in_one_simple_query) {
    Ledger ledger;
    ledger.owe(Asked::query);
    ledger.settle(server::copy_in_response());
    ledger.owe(Asked::copy_end);
    ledger.settle(server::command_complete("COPY 1") + server::copy_in_response());
    EXPECT_FALSE(ledger.exchange.at_rest());
    ledger.owe(Asked::copy_end);
    ledger.settle(server::command_complete("COPY 1") + server::ready());
    EXPECT_TRUE(ledger.exchange.at_rest());
}

// The end of the first one has been read, so it is no end of the second.
TEST(ExchangeCopy, a_sync_inside_the_second_of_one_simple_query_is_ignored) {
    Ledger ledger;
    ledger.owe(Asked::query);
    ledger.settle(server::copy_in_response());
    ledger.owe(Asked::copy_end);
    ledger.settle(server::command_complete("COPY 1") + server::copy_in_response());
    EXPECT_TRUE(ledger.exchange.ignores_sync());
    ledger.exchange.note_ignored_sync();
    ledger.owe(Asked::copy_end);
    ledger.settle(server::command_complete("COPY 1") + server::ready());
    EXPECT_TRUE(ledger.exchange.at_rest());
}

TEST(ExchangeCopy, syncs_ahead_of_each_end_of_several_in_one_pipeline_are_ignored) {
    Ledger ledger;
    ledger.owe(Asked::query).owe(Asked::sync).owe(Asked::copy_end).owe(Asked::sync).owe(Asked::copy_end);
    ledger.owe(Asked::sync);
    ledger.settle(server::copy_in_response() + server::command_complete("COPY 1") + server::copy_in_response());
    EXPECT_FALSE(ledger.exchange.ignores_sync()) << "the end has been sent";
    ledger.settle(server::command_complete("COPY 1") + server::ready());
    EXPECT_FALSE(ledger.exchange.at_rest()) << "the last Sync stands behind both";
    ledger.settle(server::ready());
    EXPECT_TRUE(ledger.exchange.at_rest());
}

TEST(ExchangeCopy, a_query_that_breaks_the_second_of_one_simple_query_is_an_end_of_it) {
    Ledger ledger;
    ledger.owe(Asked::query).owe(Asked::copy_end).owe(Asked::query);
    ledger.settle(server::copy_in_response() + server::command_complete("COPY 1") + server::copy_in_response());
    EXPECT_FALSE(ledger.exchange.ignores_sync());
}

// Its end stands unread, and nothing of that Query comes behind its failure.
TEST(ExchangeCopy, one_that_fails_takes_no_end_from_the_next_query) {
    Ledger ledger;
    ledger.owe(Asked::query).owe(Asked::copy_end).owe(Asked::query).owe(Asked::copy_end);
    ledger.settle(server::copy_in_response() + server::error("22P04", "bad row") + server::ready());
    ledger.settle(server::command_complete("SELECT 1") + server::copy_in_response());
    EXPECT_FALSE(ledger.exchange.ignores_sync());
    ledger.settle(server::command_complete("COPY 1") + server::ready());
    EXPECT_TRUE(ledger.exchange.at_rest());
}

TEST(ExchangeCopy, an_extended_one_that_fails_skips_to_the_sync) {
    Ledger ledger;
    ledger.owe(Asked::execute);
    ledger.settle(server::copy_in_response());
    EXPECT_EQ(ledger.settle(server::error("22P04", "bad row")), "forward ErrorResponse ERROR 22P04 \"bad row\"\n");
    EXPECT_FALSE(ledger.exchange.ignores_sync());
    EXPECT_TRUE(ledger.exchange.skipping());
    ledger.owe(Asked::sync);
    ledger.settle(server::ready());
    EXPECT_TRUE(ledger.exchange.at_rest());
}

TEST(ExchangeCopy, the_end_of_one_that_has_failed_is_owed_nothing) {
    Ledger ledger;
    ledger.owe(Asked::query);
    ledger.settle(server::copy_in_response() + server::error("22P04", "bad row"));
    ledger.owe(Asked::copy_end);
    ledger.settle(server::ready());
    EXPECT_TRUE(ledger.exchange.at_rest());
    ledger.owe(Asked::copy_end);
    EXPECT_TRUE(ledger.exchange.at_rest());
}

TEST(ExchangeCopy, one_that_the_client_gives_up_ends_in_an_error) {
    Ledger ledger;
    ledger.owe(Asked::query);
    ledger.settle(server::copy_in_response());
    ledger.owe(Asked::copy_end);
    ledger.settle(server::error("57014", "COPY from stdin failed") + server::ready());
    EXPECT_TRUE(ledger.exchange.at_rest());
}

TEST(ExchangeCopy, a_sync_inside_it_that_the_server_did_ignore) {
    Ledger ledger;
    ledger.owe(Asked::execute);
    ledger.settle(server::copy_in_response());
    ASSERT_TRUE(ledger.exchange.ignores_sync());
    ledger.exchange.note_ignored_sync();
    ledger.owe(Asked::copy_end).owe(Asked::sync);
    ledger.settle(server::command_complete("COPY 2") + server::ready());
    EXPECT_TRUE(ledger.exchange.at_rest());
}

// Whether the server read that Sync before the COPY failed or after, only it knows: it may answer or not. A server of
// which that is unknown must never meet another client, who would take the late ReadyForQuery for an own one.
TEST(ExchangeCopy, a_sync_that_may_stand_unread_when_it_fails_leaves_it_in_doubt) {
    Ledger ledger;
    ledger.owe(Asked::query);
    ledger.settle(server::copy_in_response());
    ledger.exchange.note_ignored_sync();
    ledger.settle(server::error("P0001", "a trigger's") + server::ready());
    EXPECT_FALSE(ledger.exchange.at_rest());
    EXPECT_TRUE(ledger.exchange.needs_proof());
    EXPECT_EQ(ledger.settle(server::ready()), "forward ReadyForQuery I\n");
    EXPECT_FALSE(ledger.exchange.at_rest());
}

TEST(ExchangeCopy, a_sync_in_doubt_is_answered_ahead_of_what_runs_behind_it) {
    for (const Asked behind : {Asked::query, Asked::function_call}) {
        Ledger ledger;
        ledger.owe(Asked::query).owe(Asked::sync).owe(Asked::copy_end).owe(Asked::sync).owe(behind);
        ledger.settle(server::copy_in_response() + server::error("P0001", "a trigger's") + server::ready());
        EXPECT_EQ(ledger.settle(server::ready() + server::ready()),
                  "forward ReadyForQuery I\nforward ReadyForQuery I\n");
        EXPECT_EQ(ledger.exchange.first_asked(), behind);
        ledger.settle(server::error("P0001", "its own") + server::ready());
        EXPECT_TRUE(ledger.exchange.needs_proof());
    }
}

TEST(ExchangeCopy, a_close_that_is_answered_ends_the_doubt) {
    for (const bool was_unread : {false, true}) {
        Ledger ledger;
        ledger.owe(Asked::query).owe(Asked::sync);
        ledger.settle(server::copy_in_response() + server::error("P0001", "a trigger's") + server::ready());
        ASSERT_TRUE(ledger.exchange.needs_proof());
        Bytes asked;
        append_sync_proof(asked, ledger.exchange);
        EXPECT_FALSE(ledger.exchange.needs_proof()) << "asked once";
        if (was_unread) {
            EXPECT_EQ(ledger.settle(server::ready()), "forward ReadyForQuery I\n");
        }
        EXPECT_FALSE(ledger.exchange.at_rest());
        EXPECT_EQ(ledger.settle(server::close_complete() + server::ready()),
                  "swallow CloseComplete\nswallow ReadyForQuery I\n");
        EXPECT_TRUE(ledger.exchange.at_rest());
        EXPECT_EQ(ledger.settle(server::ready()), "lost_sync ReadyForQuery I\n");
    }
}

TEST(ExchangeCopy, syncs_inside_a_copy_that_succeeds_leave_no_doubt) {
    Ledger ledger;
    ledger.owe(Asked::query);
    ledger.settle(server::copy_in_response());
    ledger.exchange.note_ignored_sync();
    ledger.owe(Asked::copy_end);
    ledger.settle(server::command_complete("COPY 1") + server::ready());
    EXPECT_TRUE(ledger.exchange.at_rest());
    ledger.owe(Asked::query);
    ledger.settle(server::error("42601", "no") + server::ready());
    EXPECT_TRUE(ledger.exchange.at_rest());
}

// libpq's way: Sync with the Execute, then data. A trigger may have failed the COPY before that Sync was read.
TEST(ExchangeCopy, a_sync_ahead_of_the_data_leaves_it_in_doubt_too) {
    Ledger ledger;
    ledger.owe(Asked::execute).owe(Asked::sync);
    ledger.settle(server::copy_in_response());
    ledger.settle(server::error("22P04", "bad row"));
    ledger.owe(Asked::copy_end).owe(Asked::sync);
    ledger.settle(server::ready());
    EXPECT_FALSE(ledger.exchange.at_rest());
    EXPECT_TRUE(ledger.exchange.needs_proof());
}

TEST(ExchangeCopy, a_simple_one_with_syncs_behind_it_rests_when_it_is_done) {
    Ledger ledger;
    ledger.owe(Asked::query).owe(Asked::sync).owe(Asked::copy_end);
    ledger.settle(server::copy_in_response() + server::command_complete("COPY 0") + server::ready());
    EXPECT_TRUE(ledger.exchange.at_rest());
}

TEST(ExchangeCopy, a_sync_that_ends_the_skipping_behind_a_failed_copy) {
    Ledger ledger;
    ledger.owe(Asked::execute);
    ledger.settle(server::copy_in_response());
    ledger.exchange.note_ignored_sync();
    EXPECT_EQ(ledger.settle(server::error("22P04", "bad row") + server::ready()),
              "forward ErrorResponse ERROR 22P04 \"bad row\"\nforward ReadyForQuery I\n");
    EXPECT_FALSE(ledger.exchange.skipping());
    EXPECT_TRUE(ledger.exchange.needs_proof()) << "and no batch is open";
}

TEST(ExchangeCopy, out_streams_between_response_and_complete) {
    Ledger ledger;
    ledger.owe(Asked::execute).owe(Asked::sync);
    EXPECT_EQ(ledger.settle(server::copy_out_response() + server::copy_data("1\n") + server::copy_done() +
                            server::command_complete("COPY 1") + server::ready()),
              "forward CopyOutResponse 5\nforward CopyData \"1\\x0a\"\nforward CopyDone\n"
              "forward CommandComplete \"COPY 1\"\nforward ReadyForQuery I\n");
    EXPECT_TRUE(ledger.exchange.at_rest());
}

TEST(ExchangeCopy, both_ways_runs_until_its_query_ends) {
    Ledger ledger;
    ledger.owe(Asked::query);
    ledger.settle(server::copy_both_response() + server::copy_data("w"));
    EXPECT_FALSE(ledger.exchange.ignores_sync());
    ledger.owe(Asked::copy_end);
    ledger.settle(server::copy_done() + server::command_complete("START_STREAMING") + server::ready());
    EXPECT_TRUE(ledger.exchange.at_rest());
}

}  // namespace
}  // namespace pgsluice::protocol
