// Replies that are not simply the server's: swallowed, invented, substituted; and what is owed to a client that left.
#include "ledger.hpp"

namespace pgsluice::protocol {
namespace {

namespace server = test::server;

TEST(Fates, what_we_asked_is_swallowed) {
    Ledger ledger;
    ledger.owe(Asked::parse, Fate::swallow).owe(Asked::bind).owe(Asked::sync);
    EXPECT_EQ(ledger.settle(server::parse_complete() + server::bind_complete() + server::ready()),
              "swallow ParseComplete\nforward BindComplete\nforward ReadyForQuery I\n");
}

TEST(Fates, an_invented_reply_waits_for_its_turn) {
    Ledger ledger;
    ledger.owe(Asked::execute).owe_named(Asked::parse, Fate::invent, "a");
    ledger.owe_named(Asked::close, Fate::invent, "b").owe(Asked::bind);
    EXPECT_EQ(ledger.invented(), "");
    EXPECT_EQ(ledger.settle(server::row({"1"})), "forward DataRow \"1\"\n");
    EXPECT_EQ(ledger.settle(server::command_complete("SELECT 1")),
              "forward CommandComplete \"SELECT 1\"\ninvent ParseComplete\ninvent CloseComplete\n");
    EXPECT_EQ(ledger.take_witnessed(), "+a-b");
    EXPECT_EQ(ledger.settle(server::bind_complete()), "forward BindComplete\n");
}

// Ours around a Query: where what stands in front fails, the server skips both, and the Sync behind it answers for the
// Query.
TEST(Fates, a_query_that_is_skipped_for_something_of_ours_is_answered_by_our_sync) {
    for (const bool fails : {false, true}) {
        Ledger ledger;
        ledger.owe(Asked::parse, Fate::swallow).owe(Asked::query);
        ledger.owe(Asked::close, Fate::swallow).owe(Asked::sync, Fate::swallow);
        if (fails) {
            EXPECT_EQ(ledger.settle(server::error("42P01", "gone") + server::ready()),
                      "forward ErrorResponse ERROR 42P01 \"gone\"\nforward ReadyForQuery I\n");
        } else {
            EXPECT_EQ(ledger.settle(server::parse_complete() + server::command_complete("A") + server::ready() +
                                    server::close_complete() + server::ready()),
                      "swallow ParseComplete\nforward CommandComplete \"A\"\nforward ReadyForQuery I\n"
                      "swallow CloseComplete\nswallow ReadyForQuery I\n");
        }
        EXPECT_TRUE(ledger.exchange.at_rest());
    }
}

TEST(Fates, a_name_is_deallocated_when_what_does_it_is_done) {
    for (const Asked asked : {Asked::execute, Asked::query}) {
        Ledger ledger;
        const bool is_query = asked == Asked::query;
        ledger.owe_named(asked, Fate::forward, "a");
        ledger.settle(server::command_complete("DEALLOCATE"));
        EXPECT_EQ(ledger.take_witnessed(), is_query ? "" : "~a");
        if (is_query) ledger.settle(server::ready());
        EXPECT_EQ(ledger.take_witnessed(), is_query ? "~a" : "");

        ledger.owe_named(asked, Fate::forward, "b");
        if (!is_query) ledger.owe(Asked::sync);
        ledger.settle(server::error("57014", "canceled") + server::ready());
        EXPECT_EQ(ledger.take_witnessed(), is_query ? "" : "!b");
        EXPECT_TRUE(ledger.exchange.at_rest());
    }
}

TEST(Fates, an_invented_reply_comes_at_once_where_nothing_is_ahead_of_it) {
    Ledger ledger;
    ledger.owe_named(Asked::parse, Fate::invent, "a");
    EXPECT_TRUE(ledger.exchange.has_invented_turn());
    EXPECT_EQ(ledger.invented(), "invent ParseComplete\n");
    EXPECT_FALSE(ledger.exchange.at_rest()) << "the server has not seen it, but the client's batch is open";
}

// The server cannot answer what it was never sent.
TEST(Fates, a_server_that_speaks_in_an_invented_turn_has_lost_sync) {
    Ledger ledger;
    ledger.owe_named(Asked::parse, Fate::invent, "a");
    EXPECT_EQ(ledger.exchange.settle(wire::BackendTag::parse_complete, {}, ledger), Settled::lost_sync);
}

TEST(Fates, an_invented_reply_behind_an_error_is_skipped) {
    Ledger ledger;
    ledger.owe(Asked::bind).owe_named(Asked::parse, Fate::invent, "a").owe(Asked::sync);
    EXPECT_EQ(ledger.settle(server::error("22P02", "no") + server::ready()),
              "forward ErrorResponse ERROR 22P02 \"no\"\nforward ReadyForQuery I\n");
    EXPECT_EQ(ledger.take_witnessed(), "!a");
}

TEST(Fates, the_error_of_a_refused_statement_is_replaced_by_ours) {
    Ledger ledger;
    ledger.owe(Asked::parse).owe_refused(Asked::parse, "42501").owe(Asked::bind).owe(Asked::sync);
    EXPECT_EQ(ledger.settle(server::parse_complete() + server::error("42601", "syntax error") + server::ready('E')),
              "forward ParseComplete\nsubstitute ErrorResponse ERROR 42601 \"syntax error\"\n  by 42501\n"
              "forward ReadyForQuery E\n");
}

TEST(Fates, a_refused_statement_behind_another_failure_is_only_skipped) {
    Ledger ledger;
    ledger.owe(Asked::bind).owe_refused(Asked::parse, "42501").owe(Asked::sync);
    EXPECT_EQ(ledger.settle(server::error("22P02", "no") + server::ready()),
              "forward ErrorResponse ERROR 22P02 \"no\"\nforward ReadyForQuery I\n");
}

TEST(Fates, a_refused_query_keeps_its_ready_for_query) {
    Ledger ledger;
    ledger.owe_refused(Asked::query, "42501").owe(Asked::query);
    EXPECT_EQ(ledger.settle(server::error("42601", "syntax error") + server::ready('E')),
              "substitute ErrorResponse ERROR 42601 \"syntax error\"\n  by 42501\nforward ReadyForQuery E\n");
    EXPECT_TRUE(ledger.exchange.owes());
}

// PostgreSQL does not, but what speaks for one may.
TEST(Fates, a_refused_query_that_fails_twice_has_our_error_once) {
    Ledger ledger;
    ledger.owe_refused(Asked::query, "42501");
    EXPECT_EQ(
        ledger.settle(server::error("42601", "syntax error") + server::error("XX000", "again") + server::ready('E')),
        "substitute ErrorResponse ERROR 42601 \"syntax error\"\n  by 42501\n"
        "forward ErrorResponse ERROR XX000 \"again\"\nforward ReadyForQuery E\n");
}

TEST(Fates, an_error_of_an_injected_statement_is_the_clients_where_the_statement_is) {
    Ledger ledger;
    ledger.exchange.owe({Asked::parse, Fate::swallow, ledger.statement});
    ledger.owe(Asked::bind).owe(Asked::sync);
    EXPECT_EQ(ledger.settle(server::error("42P01", "no table") + server::ready()),
              "forward ErrorResponse ERROR 42P01 \"no table\"\nforward ReadyForQuery I\n");
}

TEST(Fates, an_error_while_settings_are_restored_is_told_apart) {
    Ledger ledger;
    ledger.owe(Asked::bind, Fate::restore).owe(Asked::execute, Fate::restore).owe(Asked::sync, Fate::restore);
    EXPECT_TRUE(ledger.exchange.is_replaying());
    EXPECT_EQ(ledger.settle(server::error("22023", "no")), "replay_failed ErrorResponse ERROR 22023 \"no\"\n");
}

TEST(Fates, an_error_of_what_takes_back_what_another_has_set_is_told_apart_from_that) {
    Ledger ledger;
    ledger.owe(Asked::execute, Fate::take_back).owe(Asked::execute, Fate::restore).owe(Asked::sync, Fate::restore);
    EXPECT_TRUE(ledger.exchange.is_replaying());
    EXPECT_EQ(ledger.settle(server::error("42501", "no")), "not_taken_back ErrorResponse ERROR 42501 \"no\"\n");
    EXPECT_EQ(ledger.settle(server::ready()), "swallow ReadyForQuery I\n");
}

// Otherwise its server would go on to the next client with settings that nobody knows.
TEST(Fates, an_error_while_settings_are_restored_is_told_also_when_the_client_has_left) {
    Ledger ledger;
    ledger.owe(Asked::execute, Fate::restore).owe(Asked::sync, Fate::restore).owe(Asked::query);
    ledger.exchange.abandon();
    EXPECT_EQ(ledger.settle(server::error("57014", "cancelled")),
              "replay_failed ErrorResponse ERROR 57014 \"cancelled\"\n");
    EXPECT_EQ(ledger.settle(server::ready() + server::error("42601", "no") + server::ready()),
              "swallow ReadyForQuery I\nswallow ErrorResponse ERROR 42601 \"no\"\nswallow ReadyForQuery I\n");
}

TEST(Fates, drops_are_told_newest_first_and_successes_in_order) {
    Ledger ledger;
    ledger.owe_named(Asked::parse, Fate::forward, "a").owe_named(Asked::close, Fate::forward, "b");
    ledger.owe_named(Asked::parse, Fate::forward, "c").owe_named(Asked::close, Fate::invent, "d").owe(Asked::sync);
    ledger.settle(server::parse_complete() + server::close_complete());
    EXPECT_EQ(ledger.take_witnessed(), "+a-b");
    ledger.settle(server::error("42601", "no"));
    EXPECT_EQ(ledger.take_witnessed(), "!d!c");
}

// --- A client that left

TEST(Abandoned, replies_are_swallowed_and_inventions_forgotten) {
    Ledger ledger;
    ledger.owe(Asked::parse).owe_named(Asked::parse, Fate::invent, "a").owe(Asked::sync);
    ledger.exchange.abandon();
    EXPECT_EQ(ledger.settle(server::parse_complete() + server::ready()),
              "swallow ParseComplete\nswallow ReadyForQuery I\n");
    EXPECT_TRUE(ledger.exchange.at_rest());
}

TEST(Abandoned, errors_are_swallowed_until_nothing_is_owed) {
    Ledger ledger;
    ledger.owe(Asked::query).owe(Asked::query);
    ledger.exchange.abandon();
    EXPECT_EQ(ledger.settle(server::error("57014", "no") + server::ready() + server::error("57014", "no")),
              "swallow ErrorResponse ERROR 57014 \"no\"\nswallow ReadyForQuery I\n"
              "swallow ErrorResponse ERROR 57014 \"no\"\n");
    ledger.settle(server::ready());
    ledger.owe(Asked::query);
    EXPECT_EQ(ledger.settle(server::error("42601", "no")), "forward ErrorResponse ERROR 42601 \"no\"\n");
}

// A server can be abandoned when it owes nothing, with bytes of its client's still unsent.
TEST(Abandoned, an_exchange_at_rest_has_nothing_to_swallow) {
    Ledger ledger;
    ledger.exchange.abandon();
    ledger.owe(Asked::query);
    EXPECT_EQ(ledger.settle(server::error("42601", "no") + server::ready()),
              "forward ErrorResponse ERROR 42601 \"no\"\nforward ReadyForQuery I\n");
}

TEST(Abandoned, an_open_batch_may_fail_at_the_sync_that_ends_it) {
    Ledger ledger;
    ledger.owe(Asked::execute);
    ledger.settle(server::command_complete("INSERT 0 1"));
    ledger.exchange.abandon();
    ASSERT_TRUE(ledger.exchange.needs_sync());
    ledger.owe(Asked::sync, Fate::swallow);
    EXPECT_EQ(ledger.settle(server::error("23503", "deferred") + server::ready()),
              "swallow ErrorResponse ERROR 23503 \"deferred\"\nswallow ReadyForQuery I\n");
    EXPECT_TRUE(ledger.exchange.at_rest());
}

}  // namespace
}  // namespace pgsluice::protocol
