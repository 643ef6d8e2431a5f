#include "ledger.hpp"

#include <pgsluice/protocol/unsent_begin.hpp>

#include <support/describe.hpp>
#include <support/messages.hpp>

namespace pgsluice::protocol {
namespace {

namespace server = test::server;
using wire::TransactionStatus;

constexpr const char* swallowed =
    "swallow ParseComplete\nswallow BindComplete\nswallow CommandComplete \"BEGIN\"\nswallow CloseComplete\n";

Bytes opened() {
    return server::parse_complete() + server::bind_complete() + server::command_complete("BEGIN") +
           server::close_complete();
}

std::string sent_by(UnsentBegin& begin, Exchange& exchange) {
    Bytes sent;
    begin.send(sent, exchange);
    return test::describe_client(sent);
}

TEST(UnsentBegin, is_open_from_the_clients_begin_until_a_server_is_told) {
    UnsentBegin begin;
    Ledger ledger;
    EXPECT_FALSE(begin.is_open());
    EXPECT_EQ(begin.status(), TransactionStatus::idle);
    begin.begin("begin read only");
    EXPECT_TRUE(begin.is_open());
    EXPECT_EQ(begin.status(), TransactionStatus::in_transaction);
    EXPECT_EQ(sent_by(begin, ledger.exchange),
              "Parse \"\" \"begin read only\"\nBind \"\" \"\"\nExecute \"\" 0\nClose P \"\"\n");
    EXPECT_FALSE(begin.is_open());
    EXPECT_EQ(ledger.settle(opened()), swallowed);
}

TEST(UnsentBegin, is_opening_until_it_is_answered_and_only_its_own_batch_may_follow_before) {
    UnsentBegin begin;
    Ledger ledger;
    begin.begin("begin");
    sent_by(begin, ledger.exchange);
    EXPECT_TRUE(ledger.exchange.is_opening());
    EXPECT_FALSE(ledger.exchange.is_past_opening());
    EXPECT_FALSE(ledger.exchange.may_copy());
    ledger.owe(Asked::query);
    EXPECT_TRUE(ledger.exchange.is_past_opening());
    ledger.settle(opened());
    EXPECT_FALSE(ledger.exchange.is_opening());
    EXPECT_TRUE(ledger.exchange.may_copy());
    EXPECT_EQ(ledger.settle(server::command_complete("SELECT 1") + server::ready('T')),
              "forward CommandComplete \"SELECT 1\"\nforward ReadyForQuery T\n");
    EXPECT_FALSE(ledger.exchange.may_copy());
}

// The server holds the answer to BEGIN back until that of the statement is full or over.
TEST(UnsentBegin, is_over_at_once_where_it_is_asked_which_call_runs) {
    for (const Asked asked : {Asked::query, Asked::execute}) {
        UnsentBegin begin;
        Ledger ledger;
        begin.begin("begin");
        sent_by(begin, ledger.exchange);
        EXPECT_EQ(ledger.exchange.running_call(), 0U);
        ledger.exchange.owe_call(asked, 7);
        EXPECT_EQ(ledger.exchange.running_call(), 7U);
        ledger.settle(opened());
        EXPECT_EQ(ledger.exchange.running_call(), 7U);
    }
}

TEST(UnsentBegin, that_fails_takes_the_clients_query_with_it) {
    UnsentBegin begin;
    Ledger ledger;
    begin.begin("begin read write");
    sent_by(begin, ledger.exchange);
    ledger.owe(Asked::query);
    ledger.settle(server::parse_complete() + server::bind_complete());
    EXPECT_EQ(ledger.settle(server::error("0A000", "in recovery")),
              "not_opened ErrorResponse ERROR 0A000 \"in recovery\"\n");
    EXPECT_FALSE(ledger.exchange.is_opening());
    EXPECT_TRUE(ledger.exchange.skipping());
    EXPECT_FALSE(ledger.exchange.owes());
}

TEST(UnsentBegin, that_has_failed_here_is_made_to_fail_there) {
    UnsentBegin begin;
    Ledger ledger;
    begin.begin("begin read write");
    begin.fail();
    EXPECT_TRUE(begin.is_open());
    EXPECT_EQ(begin.status(), TransactionStatus::failed);
    EXPECT_EQ(sent_by(begin, ledger.exchange),
              "Parse \"\" \"begin\"\nBind \"\" \"\"\nExecute \"\" 0\nClose P \"\"\nQuery \"refused by pgsluice\"\n");
    EXPECT_TRUE(ledger.exchange.is_past_opening());
    EXPECT_EQ(ledger.settle(opened() + server::error("42601", "syntax error") + server::ready('E')),
              std::string(swallowed) + "swallow ErrorResponse ERROR 42601 \"syntax error\"\nswallow ReadyForQuery E\n");
    EXPECT_FALSE(ledger.exchange.is_opening());
    EXPECT_EQ(ledger.exchange.status(), TransactionStatus::failed);
}

TEST(UnsentBegin, of_a_client_that_has_gone_is_nobodys) {
    for (const bool fails : {false, true}) {
        UnsentBegin begin;
        Ledger ledger;
        begin.begin("begin");
        sent_by(begin, ledger.exchange);
        ledger.owe(Asked::query);
        ledger.exchange.abandon();
        if (fails) {
            EXPECT_EQ(ledger.settle(server::error("57014", "canceled")),
                      "swallow ErrorResponse ERROR 57014 \"canceled\"\n");
            EXPECT_TRUE(ledger.exchange.needs_sync());
        } else {
            EXPECT_EQ(ledger.settle(opened()), swallowed);
        }
        EXPECT_FALSE(ledger.exchange.is_opening());
    }
}

}  // namespace
}  // namespace pgsluice::protocol
