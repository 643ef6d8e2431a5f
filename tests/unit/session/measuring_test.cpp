// What is told of each call: its shape, its rows, and whether it failed, by both protocols.
#include <gtest/gtest.h>
#include <support/script.hpp>

namespace pgsluice::session {
namespace {

using test::Script;
using test::World;
namespace client = test::client;
namespace server = test::server;

Script measured(config::PoolMode mode = config::PoolMode::transaction) {
    World::Options options;
    options.pool.mode = mode;
    options.measures_calls = true;
    return Script(options);
}

// "select $1: 1 row, failed" for each call so far.
void expect_calls(Script& script, std::vector<std::string> expected) {
    script.expect([expected](World& world) {
        std::vector<std::string> calls;
        for (const Call& call : world.calls()) {
            calls.push_back((call.callee.facts == nullptr ? "?" : call.callee.facts->normalized) + ": " +
                            std::to_string(call.rows) + (call.failed ? " failed" : ""));
        }
        EXPECT_EQ(calls, expected);
    });
}

TEST(Measuring, a_query_is_one_call) {
    Script script = measured();
    script.client_sends(client::query("select 17")).server_sends(server::one_row("17"));
    expect_calls(script, {"select $1: 1"});
    script.client_sends(client::query("selec")).server_sends(server::error("42601", "syntax error") + server::ready());
    expect_calls(script, {"select $1: 1", "?: 0 failed"});
    script.run();
}

TEST(Measuring, of_several_statements_in_one_query_the_rows_are_added_up) {
    Script script = measured();
    script.client_sends(client::query("insert into t values (1); insert into t values (2)"))
        .server_sends(server::command_complete("INSERT 0 1") + server::command_complete("INSERT 0 2") +
                      server::ready());
    script.expect([](World& world) {
        ASSERT_EQ(world.calls().size(), 1U);
        EXPECT_EQ(world.calls()[0].rows, 3U);
    });
    script.run();
}

TEST(Measuring, an_execute_is_a_call_of_what_its_portal_was_bound_to) {
    for (const auto mode : {config::PoolMode::transaction, config::PoolMode::session}) {
        Script script = measured(mode);
        script
            .client_sends(client::parse("s", "select 17") + client::bind("", "s") + client::execute("") +
                          client::sync())
            .server_sends(server::parse_complete() + server::bind_complete() + server::command_complete("SELECT 5") +
                          server::ready());
        expect_calls(script, {"select $1: 5"});
        script.run();
    }
}

TEST(Measuring, a_failed_batch_counts_what_failed_and_not_what_was_skipped) {
    Script script = measured();
    script
        .client_sends(client::parse("", "select 1") + client::bind("", "") + client::execute("") +
                      client::parse("", "select 2, 2") + client::bind("", "") + client::execute("") +
                      client::execute("") + client::sync())
        .server_sends(server::parse_complete() + server::bind_complete() + server::command_complete("SELECT 1") +
                      server::parse_complete() + server::bind_complete() + server::error("22012", "division by zero") +
                      server::ready());
    expect_calls(script, {"select $1: 1", "select $1, $2: 0 failed"});
    script.run();
}

TEST(Measuring, what_is_unanswered_when_the_client_leaves_has_failed) {
    Script script = measured();
    script.client_sends(client::query("select 17")).client_leaves();
    expect_calls(script, {"select $1: 0 failed"});
    script.run();
}

TEST(Measuring, a_refused_statement_is_no_call) {
    World::Options options;
    options.measures_calls = true;
    config::Policy policy;
    policy.name = "none";
    options.policies = {policy};
    Script script(options);
    script.client_sends(client::query("select 1"));
    expect_calls(script, {});
    script.run();
}

TEST(Measuring, the_servers_error_is_known_by_its_sqlstate) {
    Script script = measured();
    script.client_sends(client::query("select 1 / 0"))
        .server_sends(server::error("22012", "division by zero") + server::ready())
        .client_sends(client::query("select 1"))
        .server_sends(server::one_row("1"));
    script.expect([](World& world) {
        ASSERT_EQ(world.calls().size(), 2U);
        EXPECT_EQ(std::string(world.calls()[0].sqlstate.data(), 5), "22012");
        EXPECT_EQ(world.calls()[1].sqlstate[0], '\0');
    });
    script.run();
}

TEST(Measuring, a_text_is_kept_as_it_was_sent_only_where_constants_are_told_and_no_password_is_in_it) {
    for (const bool shows : {false, true}) {
        World::Options options;
        options.measures_calls = true;
        options.shows_literals = shows;
        Script script(options);
        for (const char* text : {"select 17", "alter role a password 'x'", "selec 17"}) {
            script.client_sends(client::query(text)).server_sends(server::one_row("1"));
        }
        script
            .client_sends(client::parse("", "select 'x'") + client::bind("", "") + client::execute("") + client::sync())
            .server_sends(server::parse_complete() + server::bind_complete() + server::command_complete("SELECT 1") +
                          server::ready());
        script.expect([shows](World& world) {
            std::vector<std::string> texts;
            for (const Call& call : world.calls()) texts.push_back(std::string(call.callee.text()));
            const std::vector<std::string> shown{"select 17", "", "", "select 'x'"};
            EXPECT_EQ(texts, shows ? shown : std::vector<std::string>(4));
        });
        script.run();
    }
}

TEST(Measuring, waits_and_bytes) {
    World::Options options;
    options.measures_calls = true;
    World world(options);
    world.add_client();
    world.client_sends(0, client::query("select 1"));
    world.server(0).peer.receive(server::one_row("1"));
    world.settle();
    ASSERT_EQ(world.calls().size(), 1U);
    EXPECT_EQ(world.calls()[0].bytes, server::one_row("1").size() - server::ready().size());
}

}  // namespace
}  // namespace pgsluice::session
