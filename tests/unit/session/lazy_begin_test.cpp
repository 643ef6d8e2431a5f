// pool.lazy_begin: what a client is told whose BEGIN no server has heard of, and what a server is told with its first
// statement.
#include <gtest/gtest.h>
#include <support/script.hpp>

namespace pgsluice::session {
namespace {

using metrics::Disconnect;
using metrics::ServerState;
using std::chrono::milliseconds;
using test::Script;
using test::World;
namespace client = test::client;
namespace server = test::server;

constexpr const char* begun = "CommandComplete \"BEGIN\"\nReadyForQuery T\n";
const std::string begin_sent = "Parse \"\" \"begin\"\nBind \"\" \"\"\nExecute \"\" 0\nClose P \"\"\n";

World::Options lazy() {
    World::Options options;
    options.pool.lazy_begin = true;
    return options;
}
Script lazy_script() {
    return Script(lazy());
}
config::Policy no_drops() {
    config::Policy policy;
    policy.name = "no drops";
    policy.when.pattern = "^drop ";
    policy.action = config::PolicyAction::block;
    policy.message = "blocked";
    return policy;
}

Bytes opened() {
    return server::parse_complete() + server::bind_complete() + server::command_complete("BEGIN") +
           server::close_complete();
}
Bytes done(std::string_view tag, char status) {
    return server::command_complete(tag) + server::ready(status);
}
void begin(Script& script, const std::string& text = "begin") {
    script.client_sends(client::query(text)).expect_to_server("").expect_to_client(begun);
}
void expect_no_server_is_lent(Script& script) {
    script.expect([](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::active), 0); });
}

TEST(LazyBegin, is_answered_at_once_and_sent_with_the_first_statement) {
    Script script = lazy_script();
    begin(script);
    expect_no_server_is_lent(script);
    script.client_sends(client::query("select 1"))
        .expect_to_server(begin_sent + "Query \"select 1\"\n")
        .server_sends(opened() + server::one_row("1", 'T'))
        .expect_to_client("RowDescription \"?column?\"\nDataRow \"1\"\nCommandComplete \"SELECT 1\"\nReadyForQuery T\n")
        .client_sends(client::query("commit"))
        .expect_to_server("Query \"commit\"\n")
        .server_sends(done("COMMIT", 'I'))
        .expect_to_client("CommandComplete \"COMMIT\"\nReadyForQuery I\n");
    expect_no_server_is_lent(script);
    script.run();
}

TEST(LazyBegin, keeps_its_modes) {
    Script script = lazy_script();
    script.client_sends(client::query("START TRANSACTION ISOLATION LEVEL SERIALIZABLE;"))
        .expect_to_client("CommandComplete \"START TRANSACTION\"\nReadyForQuery T\n")
        .client_sends(client::query("select 1"))
        .expect_to_server(
            "Parse \"\" \"START TRANSACTION ISOLATION LEVEL SERIALIZABLE;\"\nBind \"\" \"\"\nExecute \"\" 0\n"
            "Close P \"\"\nQuery \"select 1\"\n");
    script.run();
}

TEST(LazyBegin, goes_ahead_of_a_batch_of_the_extended_protocol) {
    Script script = lazy_script();
    begin(script);
    script.client_sends(client::parse("", "select 1") + client::bind() + client::execute() + client::sync())
        .expect_to_server(begin_sent + "Parse \"\" \"select 1\"\nBind \"\" \"\"\nExecute \"\" 0\nSync\n")
        .server_sends(opened() + server::parse_complete() + server::bind_complete() + server::row({"1"}) +
                      done("SELECT 1", 'T'))
        .expect_to_client(
            "ParseComplete\nBindComplete\nDataRow \"1\"\nCommandComplete \"SELECT 1\"\nReadyForQuery T\n");
    script.run();
}

TEST(LazyBegin, that_is_ended_at_once_needs_no_server) {
    Script script = lazy_script();
    begin(script);
    script.client_sends(client::query("rollback")).expect_to_client("CommandComplete \"ROLLBACK\"\nReadyForQuery I\n");
    begin(script);
    script.client_sends(client::query("end;")).expect_to_client("CommandComplete \"COMMIT\"\nReadyForQuery I\n");
    script.expect_to_server("").expect([](World& world) {
        EXPECT_EQ(world.metrics().transactions.value(), 2U);
        EXPECT_EQ(world.client(0).session->totals().queries, 4U);
    });
    script.exchange(0, 0, "select 1");
    script.run();
}

TEST(LazyBegin, answers_a_bare_sync_as_a_server_does_in_a_transaction) {
    Script script = lazy_script();
    begin(script);
    script.client_sends(client::flush() + client::sync()).expect_to_server("").expect_to_client("ReadyForQuery T\n");
    script.run();
}

TEST(LazyBegin, destroys_the_unnamed_statement) {
    Script script = lazy_script();
    script.client_sends(client::parse("", "select 1") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_client("ParseComplete\nReadyForQuery I\n")
        .expect_to_server("Parse \"\" \"select 1\"\nSync\n");
    begin(script);
    script.client_sends(client::bind() + client::sync())
        .expect_to_server(begin_sent + "Close S \"\"\nBind \"\" \"\"\nSync\n");
    script.run();
}

TEST(LazyBegin, a_second_one_is_the_servers_to_warn_of) {
    Script script = lazy_script();
    begin(script);
    script.client_sends(client::query("begin")).expect_to_server(begin_sent + "Query \"begin\"\n");
    script.run();
}

TEST(LazyBegin, does_not_hide_what_else_stands_in_the_text) {
    Script script = lazy_script();
    script.client_sends(client::query("begin; select 1")).expect_to_server("Query \"begin; select 1\"\n");
    script.run();
}

TEST(LazyBegin, is_off_in_the_other_modes_and_by_its_key) {
    for (const auto mode : {config::PoolMode::session, config::PoolMode::statement}) {
        World::Options options = lazy();
        options.pool.mode = mode;
        Script script(options);
        script.client_sends(client::query("begin")).expect_to_server("Query \"begin\"\n");
        script.run_whole();
    }
    Script script;
    script.client_sends(client::query("begin")).expect_to_server("Query \"begin\"\n");
    script.run();
}

TEST(LazyBegin, leaves_a_client_alone_that_has_a_server) {
    Script script = lazy_script();
    script.client_sends(client::parse("", "select 1") + client::flush())
        .expect_to_server("Parse \"\" \"select 1\"\nFlush\n")
        .server_sends(server::parse_complete())
        .expect_to_client("ParseComplete\n")
        .client_sends(client::sync() + client::query("begin"))
        .expect_to_server("Sync\nQuery \"begin\"\n");
    script.run();
}

// --- What goes wrong.

// A statement behind a BEGIN that fails must not run by itself.
TEST(LazyBegin, that_the_server_refuses_fails_the_transaction_at_its_first_query) {
    Script script = lazy_script();
    begin(script);
    script.client_sends(client::query("insert") + client::query("insert"))
        .expect_to_server(begin_sent + "Query \"insert\"\n")
        .server_sends(server::parse_complete() + server::bind_complete() + server::error("0A000", "in recovery"))
        .expect_to_server("Sync\n")
        .server_sends(server::ready())
        .expect_to_client("ErrorResponse ERROR 0A000 \"in recovery\"\nReadyForQuery E\n")
        .expect_to_server(begin_sent + "Query \"refused by pgsluice\"\n")
        .server_sends(opened() + server::error("42601", "syntax error") + server::ready('E'))
        .expect_to_server("Query \"insert\"\n")
        .server_sends(server::error("25P02", "aborted") + server::ready('E'))
        .expect_to_client("ErrorResponse ERROR 25P02 \"aborted\"\nReadyForQuery E\n")
        .client_sends(client::query("rollback"))
        .server_sends(done("ROLLBACK", 'I'))
        .expect_to_client("CommandComplete \"ROLLBACK\"\nReadyForQuery I\n");
    script.run();
}

TEST(LazyBegin, that_the_server_refuses_fails_the_transaction_at_its_first_batch) {
    Script script = lazy_script();
    begin(script);
    script.client_sends(client::bind("", "s") + client::execute() + client::sync() + client::query("insert"))
        .expect_to_server(begin_sent + "Bind \"\" \"s\"\nExecute \"\" 0\nSync\n")
        .server_sends(server::error("0A000", "in recovery") + server::ready())
        .expect_to_client("ErrorResponse ERROR 0A000 \"in recovery\"\nReadyForQuery E\n");
    script.run();
}

TEST(LazyBegin, that_the_server_refuses_before_the_batch_has_ended_waits_for_the_clients_sync) {
    Script script = lazy_script();
    begin(script);
    script.client_sends(client::bind("", "s") + client::flush())
        .expect_to_server(begin_sent + "Bind \"\" \"s\"\nFlush\n")
        .server_sends(server::error("0A000", "in recovery"))
        .expect_to_client("ErrorResponse ERROR 0A000 \"in recovery\"\n")
        .client_sends(client::execute() + client::sync())
        .expect_to_server("Sync\n")
        .server_sends(server::ready())
        .expect_to_client("ReadyForQuery E\n");
    expect_no_server_is_lent(script);
    script.client_sends(client::query("commit"))
        .expect_to_server("")
        .expect_to_client("CommandComplete \"ROLLBACK\"\nReadyForQuery I\n");
    script.run();
}

// A Query that waits for an answer before it is sent has not been skipped by the server, and is owed an answer all the
// same.
TEST(LazyBegin, that_the_server_refuses_answers_a_query_that_has_waited) {
    Script script = lazy_script();
    script.client_sends(client::parse("a", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_client("ParseComplete\nReadyForQuery I\n")
        .then([](World& world) {
            if (world.pools().servers() > 0) world.server(0).take();
        });
    begin(script);
    script.client_sends(client::query("execute a"))
        .expect_to_server(begin_sent + "Flush\n")
        .server_sends(server::error("0A000", "in recovery"))
        .expect_to_server("Sync\n")
        .server_sends(server::ready())
        .expect_to_client("ErrorResponse ERROR 0A000 \"in recovery\"\nReadyForQuery E\n")
        .client_sends(client::query("rollback"))
        .expect_to_client("CommandComplete \"ROLLBACK\"\nReadyForQuery I\n");
    script.run();
}

TEST(LazyBegin, that_the_server_refuses_waits_for_the_end_of_a_query_that_is_being_sent) {
    World::Options options = lazy();
    options.limits.inspect_bytes = 64;
    Script script(options);
    begin(script);
    const Bytes query = client::query("insert" + std::string(1000, 'x'));
    script.client_sends(query.substr(0, 500))
        .then([](World& world) {
            if (world.pools().servers() > 0) world.server(0).take();
        })
        .server_sends(server::error("0A000", "in recovery"))
        .expect_to_server("")
        .client_sends(query.substr(500))
        .expect([query](World& world) { EXPECT_TRUE(world.server(0).take() == query.substr(500) + client::sync()); })
        .server_sends(server::ready())
        .expect_to_client("ErrorResponse ERROR 0A000 \"in recovery\"\nReadyForQuery E\n");
    script.run_whole_unbroken();
}

TEST(LazyBegin, that_has_failed_is_sent_again_where_even_that_fails) {
    World::Options options = lazy();
    options.policies = {no_drops()};
    Script script(options);
    begin(script);
    const std::string fails = begin_sent + "Query \"refused by pgsluice\"\n";
    script.client_sends(client::query("drop table t"))
        .expect_to_client("ErrorResponse ERROR 42501 \"blocked\" R=\"pgsluice\"\nReadyForQuery E\n")
        .client_sends(client::query("select 1"))
        .expect_to_server(fails)
        .server_sends(server::error("57014", "canceled"))
        .expect_to_server("Sync\n" + fails)
        .server_sends(server::ready() + opened() + server::error("42601", "syntax error") + server::ready('E'))
        .expect_to_server("Query \"select 1\"\n")
        .server_sends(server::error("25P02", "aborted") + server::ready('E'))
        .expect_to_client("ErrorResponse ERROR 25P02 \"aborted\"\nReadyForQuery E\n");
    script.run();
}

TEST(LazyBegin, what_follows_a_first_batch_waits_until_the_transaction_is_open) {
    Script script = lazy_script();
    begin(script);
    script.client_sends(client::query("a") + client::query("b"))
        .expect_to_server(begin_sent + "Query \"a\"\n")
        .server_sends(opened())
        .expect_to_server("Query \"b\"\n")
        .server_sends(done("A", 'T') + done("B", 'T'))
        .expect_to_client("CommandComplete \"A\"\nReadyForQuery T\nCommandComplete \"B\"\nReadyForQuery T\n");
    script.run();
}

TEST(LazyBegin, a_statement_blocked_in_it_fails_it_before_a_server_hears_of_it) {
    World::Options options = lazy();
    options.policies = {no_drops()};
    Script script(options);
    begin(script);
    script.client_sends(client::query("drop table t"))
        .expect_to_server("")
        .expect_to_client("ErrorResponse ERROR 42501 \"blocked\" R=\"pgsluice\"\nReadyForQuery E\n")
        .client_sends(client::query("select 1"))
        .expect_to_server(begin_sent + "Query \"refused by pgsluice\"\n")
        .server_sends(opened() + server::error("42601", "syntax error") + server::ready('E'))
        .expect_to_server("Query \"select 1\"\n")
        .server_sends(server::error("25P02", "aborted") + server::ready('E'))
        .expect_to_client("ErrorResponse ERROR 25P02 \"aborted\"\nReadyForQuery E\n");
    script.run();
}

TEST(LazyBegin, a_batch_blocked_in_it_fails_it_too) {
    World::Options options = lazy();
    options.policies = {no_drops()};
    Script script(options);
    begin(script);
    script.client_sends(client::extended("drop table t") + client::sync())
        .expect_to_server("")
        .expect_to_client("ErrorResponse ERROR 42501 \"blocked\" R=\"pgsluice\"\nReadyForQuery E\n")
        .client_sends(client::query("rollback"))
        .expect_to_client("CommandComplete \"ROLLBACK\"\nReadyForQuery I\n");
    script.run();
}

TEST(LazyBegin, that_finds_no_server_in_time_has_failed_and_may_be_ended) {
    World::Options options = lazy();
    options.pool.query_wait_timeout = milliseconds(1000);
    Script script(options);
    script.add_client();
    script.client_sends(1, client::query("select pg_sleep(9)")).expect_to_server("Query \"select pg_sleep(9)\"\n");
    begin(script);
    script.client_sends(client::query("select 1"))
        .wait(milliseconds(1000))
        .expect([](World& world) {
            const std::string told = test::describe(world.client(0).peer.take());
            EXPECT_NE(told.find("53300"), std::string::npos) << told;
            EXPECT_NE(told.find("ReadyForQuery E"), std::string::npos) << told;
        })
        .client_sends(client::query("rollback"))
        .expect_to_client("CommandComplete \"ROLLBACK\"\nReadyForQuery I\n");
    script.run();
}

TEST(LazyBegin, is_waited_for_by_a_drain) {
    Script script = lazy_script();
    begin(script);
    script
        .then([](World& world) {
            if (world.client(0).session != nullptr) world.client(0).session->drain();
        })
        .expect([](World& world) { EXPECT_FALSE(world.client(0).ended); })
        .client_sends(client::query("commit"))
        .expect([](World& world) { EXPECT_EQ(world.client(0).ended, Disconnect::shutdown); });
    script.run();
}

TEST(LazyBegin, is_a_transaction_to_the_time_limits) {
    World::Options options = lazy();
    options.timeouts.idle_transaction = milliseconds(1000);
    Script script(options);
    begin(script);
    script.wait(milliseconds(1000)).expect([](World& world) {
        EXPECT_EQ(world.client(0).ended, Disconnect::timeout);
        EXPECT_EQ(world.metrics().timeouts[metrics::TimeLimit::idle_transaction].value(), 1U);
    });
    script.run();
}

}  // namespace
}  // namespace pgsluice::session
