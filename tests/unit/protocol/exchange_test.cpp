// Queries, pipelines and their errors. COPY: exchange_copy_test.cpp; replies that are ours: exchange_fates_test.cpp.
#include "ledger.hpp"

namespace pgsluice::protocol {
namespace {

namespace server = test::server;
using wire::TransactionStatus;

TEST(Exchange, is_at_rest_when_nothing_has_been_asked) {
    Ledger ledger;
    EXPECT_TRUE(ledger.exchange.at_rest());
    EXPECT_FALSE(ledger.exchange.owes());
    EXPECT_FALSE(ledger.exchange.needs_sync());
    EXPECT_EQ(ledger.exchange.status(), TransactionStatus::idle);
}

TEST(Exchange, a_query_is_answered_by_its_ready_for_query) {
    Ledger ledger;
    ledger.owe(Asked::query);
    EXPECT_FALSE(ledger.exchange.at_rest());
    EXPECT_TRUE(ledger.exchange.may_copy());
    EXPECT_EQ(ledger.settle(server::row_description({"a"}) + server::row({"1"}) + server::command_complete("SELECT 1")),
              "forward RowDescription \"a\"\nforward DataRow \"1\"\nforward CommandComplete \"SELECT 1\"\n");
    EXPECT_FALSE(ledger.exchange.at_rest());
    EXPECT_EQ(ledger.settle(server::ready('T')), "forward ReadyForQuery T\n");
    EXPECT_TRUE(ledger.exchange.at_rest());
    EXPECT_EQ(ledger.exchange.status(), TransactionStatus::in_transaction);
    EXPECT_FALSE(ledger.exchange.may_copy());
}

TEST(Exchange, reports_are_due_until_the_ready_for_query_behind_all_that_runs) {
    Ledger ledger;
    EXPECT_FALSE(ledger.exchange.has_reports_due());
    ledger.owe(Asked::parse);
    EXPECT_FALSE(ledger.exchange.has_reports_due());
    ledger.owe(Asked::execute);
    ledger.settle(server::parse_complete() + server::command_complete("SET"));
    EXPECT_FALSE(ledger.exchange.owes());
    EXPECT_TRUE(ledger.exchange.has_reports_due()) << "it has been answered behind a Flush";
    ledger.owe(Asked::sync);
    ledger.owe(Asked::query);
    ledger.settle(server::ready());
    EXPECT_TRUE(ledger.exchange.has_reports_due());
    ledger.settle(server::command_complete("SET") + server::ready());
    EXPECT_FALSE(ledger.exchange.has_reports_due());
}

TEST(Exchange, a_query_of_several_statements_has_several_answers) {
    Ledger ledger;
    ledger.owe(Asked::query);
    EXPECT_EQ(
        ledger.settle(server::command_complete("BEGIN") + server::empty_query() + server::error("42601", "no")),
        "forward CommandComplete \"BEGIN\"\nforward EmptyQueryResponse\nforward ErrorResponse ERROR 42601 \"no\"\n");
    EXPECT_TRUE(ledger.exchange.owes());
    EXPECT_FALSE(ledger.exchange.skipping()) << "a simple query's error makes the server skip nothing";
    EXPECT_EQ(ledger.settle(server::ready('E')), "forward ReadyForQuery E\n");
    EXPECT_EQ(ledger.exchange.status(), TransactionStatus::failed);
}

TEST(Exchange, a_function_call_is_answered_like_a_query) {
    Ledger ledger;
    ledger.owe(Asked::function_call);
    EXPECT_EQ(ledger.settle(server::function_call_response("7") + server::ready()),
              "forward FunctionCallResponse \"\\x00\\x00\\x00\\x017\"\nforward ReadyForQuery I\n");
    EXPECT_TRUE(ledger.exchange.at_rest());
    ledger.owe(Asked::function_call);
    EXPECT_EQ(ledger.settle(server::error("42883", "no") + server::ready()),
              "forward ErrorResponse ERROR 42883 \"no\"\nforward ReadyForQuery I\n");
    EXPECT_TRUE(ledger.exchange.at_rest());
}

TEST(Exchange, extended_messages_are_answered_one_by_one) {
    Ledger ledger;
    ledger.owe(Asked::parse).owe(Asked::describe_statement).owe(Asked::bind).owe(Asked::describe_portal);
    ledger.owe(Asked::execute).owe(Asked::close).owe(Asked::sync);
    EXPECT_EQ(ledger.settle(server::parse_complete() + server::parameter_description({23}) +
                            server::row_description({"a"}) + server::bind_complete() + server::no_data() +
                            server::row({"1"}) + server::command_complete("SELECT 1") + server::close_complete()),
              "forward ParseComplete\nforward ParameterDescription 23\nforward RowDescription \"a\"\n"
              "forward BindComplete\nforward NoData\nforward DataRow \"1\"\nforward CommandComplete \"SELECT 1\"\n"
              "forward CloseComplete\n");
    EXPECT_TRUE(ledger.exchange.owes());
    EXPECT_EQ(ledger.settle(server::ready()), "forward ReadyForQuery I\n");
    EXPECT_TRUE(ledger.exchange.at_rest());
}

// Parse, Bind, Execute(update), Flush: every reply has come and the last status was 'I', yet row locks are held.
TEST(Exchange, is_not_at_rest_while_a_batch_waits_for_its_sync) {
    Ledger ledger;
    ledger.owe(Asked::parse).owe(Asked::bind).owe(Asked::execute);
    ledger.settle(server::parse_complete() + server::bind_complete() + server::command_complete("UPDATE 1"));
    EXPECT_FALSE(ledger.exchange.owes());
    EXPECT_FALSE(ledger.exchange.at_rest());
    EXPECT_TRUE(ledger.exchange.needs_sync());
    EXPECT_EQ(ledger.exchange.status(), TransactionStatus::idle);
    ledger.owe(Asked::sync);
    EXPECT_FALSE(ledger.exchange.needs_sync());
    ledger.settle(server::ready());
    EXPECT_TRUE(ledger.exchange.at_rest());
}

TEST(Exchange, an_execute_may_end_suspended_or_empty) {
    Ledger ledger;
    ledger.owe(Asked::execute).owe(Asked::execute).owe(Asked::execute).owe(Asked::sync);
    ledger.settle(server::row({"1"}) + server::portal_suspended() + server::row({"2"}) +
                  server::command_complete("SELECT 1") + server::empty_query() + server::ready());
    EXPECT_TRUE(ledger.exchange.at_rest());
}

TEST(Exchange, an_error_skips_to_the_next_sync_and_no_further) {
    Ledger ledger;
    ledger.owe(Asked::parse).owe(Asked::bind).owe(Asked::execute).owe(Asked::sync);
    ledger.owe(Asked::parse).owe(Asked::sync);
    ledger.settle(server::parse_complete());
    EXPECT_EQ(
        ledger.settle(server::error("22P02", "no") + server::ready() + server::parse_complete() + server::ready()),
        "forward ErrorResponse ERROR 22P02 \"no\"\nforward ReadyForQuery I\nforward ParseComplete\n"
        "forward ReadyForQuery I\n");
    EXPECT_TRUE(ledger.exchange.at_rest());
}

TEST(Exchange, skips_what_is_still_to_be_sent_until_a_sync_is) {
    Ledger ledger;
    ledger.owe(Asked::parse).owe(Asked::bind);
    ledger.settle(server::error("42601", "no"));
    EXPECT_TRUE(ledger.exchange.skipping());
    EXPECT_TRUE(ledger.exchange.needs_sync());
    EXPECT_FALSE(ledger.exchange.at_rest());
    EXPECT_FALSE(ledger.exchange.owes());
    ledger.owe(Asked::sync);
    EXPECT_FALSE(ledger.exchange.skipping());
    EXPECT_EQ(ledger.settle(server::ready()), "forward ReadyForQuery I\n");
    EXPECT_TRUE(ledger.exchange.at_rest());
}

TEST(Exchange, a_query_inside_a_failed_pipeline_is_skipped_with_its_ready_for_query) {
    Ledger ledger;
    ledger.owe(Asked::parse).owe(Asked::query).owe(Asked::function_call).owe(Asked::bind).owe(Asked::sync);
    EXPECT_EQ(ledger.settle(server::error("42601", "no") + server::ready()),
              "forward ErrorResponse ERROR 42601 \"no\"\nforward ReadyForQuery I\n");
    EXPECT_TRUE(ledger.exchange.at_rest());
    EXPECT_FALSE(ledger.exchange.may_copy());
}

TEST(Exchange, a_query_ahead_of_the_failure_keeps_its_ready_for_query) {
    Ledger ledger;
    ledger.owe(Asked::query).owe(Asked::parse).owe(Asked::bind).owe(Asked::sync);
    ledger.settle(server::command_complete("SELECT 0") + server::ready() + server::error("42601", "no"));
    EXPECT_TRUE(ledger.exchange.owes());
    ledger.settle(server::ready());
    EXPECT_TRUE(ledger.exchange.at_rest());
}

TEST(Exchange, a_sync_whose_commit_fails_answers_with_error_and_ready) {
    Ledger ledger;
    ledger.owe(Asked::execute).owe(Asked::sync).owe(Asked::query);
    ledger.settle(server::command_complete("INSERT 0 1"));
    EXPECT_EQ(ledger.settle(server::error("23503", "deferred") + server::ready()),
              "forward ErrorResponse ERROR 23503 \"deferred\"\nforward ReadyForQuery I\n");
    EXPECT_FALSE(ledger.exchange.skipping());
    ledger.settle(server::command_complete("SELECT 0") + server::ready());
    EXPECT_TRUE(ledger.exchange.at_rest());
}

TEST(Exchange, every_sync_has_its_own_ready_for_query) {
    Ledger ledger;
    ledger.owe(Asked::sync).owe(Asked::sync).owe(Asked::sync);
    ledger.settle(server::ready() + server::ready());
    EXPECT_FALSE(ledger.exchange.at_rest());
    ledger.settle(server::ready());
    EXPECT_TRUE(ledger.exchange.at_rest());
}

TEST(Exchange, numbers_batches_so_that_what_is_unsettled_can_be_told) {
    Ledger ledger;
    const auto first = ledger.exchange.batch();
    ledger.owe(Asked::parse).owe(Asked::sync).owe(Asked::parse).owe(Asked::query).owe(Asked::sync);
    EXPECT_EQ(ledger.exchange.batch(), first + 3);
    ledger.settle(server::parse_complete() + server::ready());
    ledger.settle(server::error("42601", "no") + server::ready());
    EXPECT_EQ(ledger.exchange.batch(), first + 3) << "what is settled does not count";
}

TEST(Exchange, tells_what_nobody_asked_for) {
    const Bytes all[] = {server::parse_complete(),
                         server::bind_complete(),
                         server::close_complete(),
                         server::no_data(),
                         server::row({"1"}),
                         server::command_complete("X"),
                         server::portal_suspended(),
                         server::ready(),
                         server::error("XX000", "no"),
                         server::copy_in_response(),
                         server::copy_data("x"),
                         server::copy_done(),
                         server::function_call_response("1")};
    for (const Bytes& message : all) {
        Ledger ledger;
        EXPECT_TRUE(ledger.settle(message).starts_with("lost_sync")) << test::describe(message);
    }
}

TEST(Exchange, tells_an_answer_that_does_not_fit_the_question) {
    struct Case {
        Asked asked;
        Bytes answer;
    };
    const Case cases[] = {
        {Asked::query, server::parse_complete()},
        {Asked::query, server::bind_complete()},
        {Asked::query, server::portal_suspended()},
        {Asked::query, server::parameter_description({})},
        {Asked::query, server::function_call_response("1")},
        {Asked::parse, server::bind_complete()},
        {Asked::parse, server::ready()},
        {Asked::bind, server::close_complete()},
        {Asked::bind, server::command_complete("SELECT 1")},
        {Asked::describe_portal, server::parameter_description({})},
        {Asked::describe_portal, server::row({"1"})},
        {Asked::execute, server::ready()},
        {Asked::execute, server::function_call_response("1")},
        {Asked::close, server::parse_complete()},
        {Asked::sync, server::row({"1"})},
        {Asked::sync, server::command_complete("X")},
        {Asked::function_call, server::row({"1"})},
        {Asked::function_call, server::copy_in_response()},
        {Asked::query, server::authentication_ok()},
        {Asked::query, server::backend_key_data(1, "x")},
    };
    for (const auto& [asked, answer] : cases) {
        Ledger ledger;
        ledger.owe(asked);
        EXPECT_TRUE(ledger.settle(answer).starts_with("lost_sync"))
            << static_cast<int>(asked) << test::describe(answer);
    }
}

TEST(Exchange, refuses_a_transaction_status_that_does_not_exist) {
    for (const ByteView body : {ByteView("X"), ByteView(""), ByteView("II")}) {
        Ledger ledger;
        ledger.owe(Asked::query);
        EXPECT_EQ(ledger.exchange.settle(wire::BackendTag::ready_for_query, body, ledger), Settled::lost_sync);
    }
}

// What most answers begin with.
TEST(Acknowledgements, in_front_are_settled_together_up_to_what_runs) {
    Ledger ledger;
    ledger.owe_named(Asked::parse, Fate::forward, "a").owe(Asked::bind).owe(Asked::describe_portal);
    ledger.owe(Asked::execute).owe(Asked::sync);
    const Bytes front = server::parse_complete() + server::bind_complete() + server::row_description({"x"});
    for (std::size_t there = 0; there < server::parse_complete().size(); ++there) {
        EXPECT_EQ(ledger.exchange.settle_acknowledgements(prefix(front, there), ledger), 0U) << there;
    }
    EXPECT_EQ(ledger.exchange.settle_acknowledgements(front + server::row({"1"}), ledger), front.size());
    EXPECT_EQ(ledger.take_witnessed(), "+a");
    EXPECT_EQ(ledger.exchange.first_asked(), Asked::execute);
    EXPECT_EQ(ledger.exchange.settle_acknowledgements(server::row({"1"}), ledger), 0U);
}

TEST(Acknowledgements, are_left_where_somebody_wants_to_know_what_they_say) {
    Ledger ledger;
    StatementCache cache({1, 2});
    const StatementRef statement = cache.intern("select 1", "");
    ledger.owe(Asked::bind);
    ledger.exchange.owe({Asked::describe_portal, Fate::forward, statement});
    ledger.owe(Asked::execute).owe(Asked::sync);
    EXPECT_EQ(ledger.exchange.described(), nullptr);
    const Bytes front = server::bind_complete() + server::row_description({"x"});
    EXPECT_EQ(ledger.exchange.settle_acknowledgements(front, ledger), server::bind_complete().size());
    ASSERT_NE(ledger.exchange.described(), nullptr);
    EXPECT_EQ(ledger.exchange.described()->statement, statement);
    EXPECT_EQ(ledger.exchange.settle(wire::BackendTag::row_description, {}, ledger), Settled::forward);
    EXPECT_EQ(ledger.exchange.described(), nullptr);
}

TEST(Acknowledgements, of_something_else_are_left_to_be_judged) {
    for (const Fate fate : {Fate::swallow, Fate::restore, Fate::inspect, Fate::open, Fate::invent}) {
        Ledger ledger;
        ledger.owe(Asked::parse, fate).owe(Asked::sync);
        EXPECT_EQ(ledger.exchange.settle_acknowledgements(server::parse_complete(), ledger), 0U);
        EXPECT_EQ(ledger.exchange.owed(), 2U);
    }
    for (const Asked asked : {Asked::bind, Asked::describe_statement, Asked::execute, Asked::close, Asked::query}) {
        Ledger ledger;
        ledger.owe(asked).owe(Asked::sync);
        EXPECT_EQ(ledger.exchange.settle_acknowledgements(server::parse_complete(), ledger), 0U);
        EXPECT_EQ(ledger.exchange.owed(), 2U);
    }
}

}  // namespace
}  // namespace pgsluice::protocol
