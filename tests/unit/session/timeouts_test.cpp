// The time limits of a session, each on its own: when it strikes, what it does not count, and what the client is told.
#include <gtest/gtest.h>
#include <support/script.hpp>

namespace pgsluice::session {
namespace {

using metrics::Disconnect;
using metrics::ServerState;
using metrics::TimeLimit;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::describe;
using test::Script;
using test::World;
namespace client = test::client;
namespace server = test::server;

Script with(config::ClientTimeouts timeouts) {
    World::Options options;
    options.timeouts = timeouts;
    return Script(options);
}
Script with_query_wait(Milliseconds limit) {
    World::Options options;
    options.pool.query_wait_timeout = limit;
    return Script(options);
}

void begin(Script& script) {
    script.client_sends(client::query("begin"))
        .expect_to_server("Query \"begin\"\n")
        .server_sends(server::command_complete("BEGIN") + server::ready('T'))
        .expect_to_client("CommandComplete \"BEGIN\"\nReadyForQuery T\n");
}
// Client 0 has the only server, and client 1 waits for it.
void wait_in_line(Script& script) {
    script.add_client();
    begin(script);
    script.client_sends(1, client::query("select 1")).expect([](World& world) {
        EXPECT_EQ(world.pool().waiting(), 1U);
    });
}
void expect_ended(Script& script, TimeLimit limit, const std::string& told) {
    script.expect_to_client(told.empty() ? "" : "ErrorResponse FATAL " + told + " R=\"pgsluice\"\n")
        .expect([limit](World& world) {
            EXPECT_EQ(world.client(0).ended, Disconnect::timeout);
            EXPECT_EQ(world.metrics().timeouts[limit].value(), 1U);
            EXPECT_EQ(world.metrics().disconnects[Disconnect::timeout].value(), 1U);
        });
}
void expect_alive(World& world) {
    EXPECT_FALSE(world.client(0).ended);
}

// --- query

TEST(QueryTimeout, ends_the_client_and_cancels_what_runs) {
    Script script = with({.query = milliseconds(1000)});
    script.client_sends(client::query("select pg_sleep(60)")).wait(milliseconds(999)).expect(expect_alive);
    script.wait(milliseconds(1));
    expect_ended(script, TimeLimit::query, "57014 \"canceling statement due to query timeout\"");
    script.expect([](World& world) { EXPECT_EQ(world.cancels().size(), 1U); })
        .server_sends(server::error("57014", "canceling statement due to user request") + server::ready())
        .then([](World& world) { world.end_cancels(); })
        .expect([](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::idle), 1); });
    script.run();
}

TEST(QueryTimeout, counts_each_query_of_a_pipeline_for_itself) {
    Script script = with({.query = milliseconds(1000)});
    script.client_sends(client::query("a") + client::query("b"))
        .wait(milliseconds(600))
        .server_sends(server::command_complete("A") + server::ready())
        .wait(milliseconds(600))
        .expect(expect_alive)
        .wait(milliseconds(400))
        .expect_to_client(
            "CommandComplete \"A\"\nReadyForQuery I\nErrorResponse FATAL 57014 \"canceling statement due "
            "to query timeout\" R=\"pgsluice\"\n");
    script.run();
}

TEST(QueryTimeout, does_not_count_the_time_between_queries) {
    Script script = with({.query = milliseconds(1000)});
    begin(script);
    script.wait(seconds(60)).exchange(0, 0, "commit").wait(seconds(60)).expect(expect_alive);
    script.run();
}

TEST(QueryTimeout, says_nothing_in_the_middle_of_a_row) {
    const Bytes row = server::row({std::string(9000, 'x')});
    Script script = with({.query = milliseconds(1000)});
    script.client_sends(client::query("select"))
        .server_sends(row.substr(0, 8500))
        .wait(milliseconds(1000))
        .expect([&row](World& world) {
            EXPECT_EQ(world.client(0).peer.take(), row.substr(0, 8500));
            EXPECT_EQ(world.client(0).ended, Disconnect::timeout);
        });
    script.run_whole_unbroken();
}

// --- transaction

TEST(TransactionTimeout, ends_a_client_whose_transaction_takes_too_long_busy_or_not) {
    Script script = with({.transaction = milliseconds(1000)});
    begin(script);
    script.wait(milliseconds(500))
        .client_sends(client::query("select 1"))
        .wait(milliseconds(200))
        .server_sends(server::command_complete("SELECT 1") + server::ready('T'))
        .wait(milliseconds(299))
        .expect_to_client("CommandComplete \"SELECT 1\"\nReadyForQuery T\n")
        .expect_to_server("Query \"select 1\"\n")
        .expect(expect_alive)
        .wait(milliseconds(1));
    expect_ended(script, TimeLimit::transaction, "25P04 \"terminating connection due to transaction timeout\"");
    script.expect_to_server("Query \"ROLLBACK\"\n");
    script.run();
}

TEST(TransactionTimeout, begins_anew_with_each_transaction) {
    Script script = with({.transaction = milliseconds(1000)});
    for (int i = 0; i < 3; ++i) {
        script.client_sends(client::query("select 1"))
            .wait(milliseconds(600))
            .server_sends(server::command_complete("SELECT 1") + server::ready())
            .wait(seconds(5));
    }
    script.expect(expect_alive);
    script.run();
}

// --- idle_transaction

TEST(IdleTransactionTimeout, ends_a_client_that_sits_in_a_transaction) {
    Script script = with({.idle_transaction = milliseconds(1000)});
    begin(script);
    script.wait(milliseconds(999)).expect(expect_alive).wait(milliseconds(1));
    expect_ended(script, TimeLimit::idle_transaction,
                 "25P03 \"terminating connection due to idle-in-transaction timeout\"");
    script.expect_to_server("Query \"ROLLBACK\"\n")
        .server_sends(server::command_complete("ROLLBACK") + server::ready())
        .expect([](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::idle), 1); });
    script.run();
}

TEST(IdleTransactionTimeout, counts_from_the_end_of_the_last_statement) {
    Script script = with({.idle_transaction = milliseconds(1000)});
    begin(script);
    script.client_sends(client::query("select pg_sleep(5)"))
        .wait(seconds(5))
        .expect(expect_alive)
        .server_sends(server::command_complete("SELECT 1") + server::ready('T'))
        .wait(milliseconds(999))
        .expect(expect_alive)
        .expect_to_client("CommandComplete \"SELECT 1\"\nReadyForQuery T\n")
        .wait(milliseconds(1));
    expect_ended(script, TimeLimit::idle_transaction,
                 "25P03 \"terminating connection due to idle-in-transaction timeout\"");
    script.run();
}

TEST(IdleTransactionTimeout, leaves_a_client_alone_that_is_in_no_transaction) {
    Script script = with({.idle_transaction = milliseconds(1000)});
    script.exchange(0, 0, "select 1").wait(seconds(60)).expect(expect_alive);
    script.run();
}

// --- client_idle

TEST(ClientIdleTimeout, ends_a_client_that_asks_nothing) {
    Script script = with({.client_idle = milliseconds(1000)});
    script.wait(milliseconds(500)).exchange(0, 0, "select 1").wait(milliseconds(999)).expect(expect_alive);
    script.wait(milliseconds(1));
    expect_ended(script, TimeLimit::client_idle, "57P05 \"terminating connection due to idle-session timeout\"");
    script.run();
}

TEST(ClientIdleTimeout, leaves_a_client_alone_that_runs_or_waits_or_is_in_a_transaction) {
    Script script = with({.client_idle = milliseconds(1000)});
    wait_in_line(script);
    script.wait(seconds(2))
        .client_sends(client::query("select pg_sleep(2)"))
        .wait(seconds(2))
        .expect(expect_alive)
        .expect([](World& world) { EXPECT_FALSE(world.client(1).ended); });
    script.run();
}

// --- query_wait

TEST(QueryWaitTimeout, is_an_error_that_its_client_survives) {
    Script script = with_query_wait(milliseconds(1000));
    wait_in_line(script);
    script.wait(milliseconds(999))
        .expect_to_client(1, "")
        .wait(milliseconds(1))
        .expect_to_client(1,
                          "ErrorResponse ERROR 53300 \"timed out waiting for a server connection\" D=\"Route \"main\": "
                          "waited 1000 ms; all of its connections were in use.\" H=\"Raise pool.size, or shorten the "
                          "transactions that hold the connections.\" R=\"pgsluice\"\nReadyForQuery I\n")
        .expect([](World& world) {
            EXPECT_EQ(world.metrics().timeouts[TimeLimit::query_wait].value(), 1U);
            EXPECT_EQ(world.pool().waiting(), 0U);
        })
        .exchange(0, 0, "commit")
        .exchange(1, 0, "select 2");
    script.run();
}

TEST(QueryWaitTimeout, fails_a_batch_up_to_its_sync) {
    Script script = with_query_wait(milliseconds(1000));
    script.add_client();
    begin(script);
    script.client_sends(1, client::extended("select 1") + client::sync())
        .wait(milliseconds(1000))
        .expect([](World& world) {
            const std::string told = describe(world.client(1).peer.take());
            EXPECT_TRUE(told.starts_with("ErrorResponse ERROR 53300 ")) << told;
            EXPECT_TRUE(told.ends_with("\nReadyForQuery I\n")) << told;
            EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 2) << told;
        })
        .expect_to_server("");
    script.run();
}

// Of the two servers that the pool may have client 0 holds one, and client 1 waits for the other.
class NoSecondServer : public testing::Test {
  protected:
    static World::Options undialed() {
        World::Options options;
        options.answers_dials = false;
        options.pool.size = 2;
        options.pool.query_wait_timeout = seconds(1);
        return options;
    }
    NoSecondServer() {
        world.add_client();
        world.pools().open();
        world.settle();
        world.add_client();
        world.client_sends(0, client::query("begin"));
        world.server_sends(0, server::command_complete("BEGIN") + server::ready('T'));
        world.client_sends(1, client::query("select 1"));
    }
    std::string told() {
        world.client(1).peer.take();
        world.advance(seconds(1));
        return describe(world.client(1).peer.take());
    }

    World world{undialed()};
};

TEST_F(NoSecondServer, the_client_is_told_what_the_server_said) {
    ASSERT_EQ(world.pools().dials(), 1U);
    world.pools().refuse(wire::fatal("53300", "too many connections for role \"ann\"", "", "Raise it."));
    EXPECT_EQ(told(),
              "ErrorResponse ERROR 53300 \"timed out waiting for a server connection\" D=\"Route \"main\": waited 1000 "
              "ms; it has fewer connections than pool.size, and could open no more: too many connections for role "
              "\"ann\".\" H=\"Raise it.\" R=\"pgsluice\"\nReadyForQuery I\n");
}

TEST_F(NoSecondServer, only_limits_that_are_set_are_named) {
    const std::string begins =
        "ErrorResponse ERROR 53300 \"timed out waiting for a server connection\" D=\"Route \"main\": waited 1000 ms; "
        "it "
        "has fewer connections than pool.size, and could open no more.\" H=\"Other routes may use what ";
    const std::string ends = ".\" R=\"pgsluice\"\nReadyForQuery I\n";
    const auto told_with = [&](std::uint32_t of_user, std::uint32_t of_server) {
        const auto target = world.target();
        target->max_user_connections = of_user;
        target->cluster.max_connections = of_server;
        world.pool().reconfigure(target);
        if (world.pool().waiting() == 0) world.client_sends(1, client::query("select 1"));
        while (world.pools().dials() > 0) world.pools().refuse(wire::fatal("57P03", "no place"), true);
        return told();
    };
    const std::string of_user = "limits.server_connections_per_user allows for user \"ann\"";
    const std::string of_server = "clusters.max_connections allows for the server";
    EXPECT_EQ(told_with(1, 0), begins + of_user + ends);
    EXPECT_EQ(told_with(0, 1), begins + of_server + ends);
    EXPECT_EQ(told_with(1, 1), begins + of_server + ", or " + of_user + ends);
}

TEST_F(NoSecondServer, what_the_server_said_is_forgotten_once_it_lets_us_in) {
    world.pools().refuse(wire::fatal("53300", "too many connections"));
    EXPECT_NE(world.pool().last_refusal(), nullptr);
    world.advance(seconds(10));
    ASSERT_EQ(world.pools().dials(), 0U) << "nobody waits any more";
    world.client_sends(1, client::query("select 1"));
    ASSERT_EQ(world.pools().dials(), 1U);
    world.pools().open();
    EXPECT_EQ(world.pool().last_refusal(), nullptr);
}

TEST(WaitNotice, is_given_once_for_each_wait) {
    const std::string told =
        "NoticeResponse NOTICE 00000 \"no server connection is free, the query is waiting in a queue\" "
        "R=\"pgsluice\"\n";
    Script script = with_query_wait(milliseconds(0));
    wait_in_line(script);
    script.wait(milliseconds(4999))
        .expect_to_client(1, "")
        .wait(milliseconds(1))
        .expect_to_client(1, told)
        .wait(seconds(60))
        .expect_to_client(1, "")
        .exchange(0, 0, "commit")
        .expect_to_server("Query \"select 1\"\n")
        .server_sends(server::command_complete("SELECT 1") + server::ready())
        .expect_to_client(1, "CommandComplete \"SELECT 1\"\nReadyForQuery I\n");
    begin(script);
    script.client_sends(1, client::query("select 2")).wait(seconds(5)).expect_to_client(1, told);
    script.run();
}

TEST(Timeouts, that_are_zero_never_strike) {
    Script script = with_query_wait(milliseconds(0));
    wait_in_line(script);
    script.wait(std::chrono::hours(100))
        .client_sends(client::query("select pg_sleep(1e9)"))
        .wait(std::chrono::hours(100))
        .expect(expect_alive)
        .expect([](World& world) { EXPECT_EQ(world.pool().waiting(), 1U); });
    script.run();
}

}  // namespace
}  // namespace pgsluice::session
