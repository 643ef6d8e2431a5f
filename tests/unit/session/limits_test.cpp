// Statements under `action: limit`: how long they may run.
#include <gtest/gtest.h>
#include <support/script.hpp>

namespace pgsluice::session {
namespace {

using test::Script;
using test::World;
namespace client = test::client;
namespace server = test::server;
using namespace std::chrono_literals;

constexpr const char* too_long =
    "ErrorResponse ERROR 57014 \"canceling statement due to policy \"short\"\" D=\"It has run for max_duration, "
    "500 "
    "ms.\" R=\"pgsluice\"\n";

World::Options limited(config::PoolMode mode = config::PoolMode::transaction) {
    config::Policy policy;
    policy.name = "short";
    policy.when.pattern = "slow";
    policy.action = config::PolicyAction::limit;
    policy.limit.max_duration = 500ms;
    World::Options options;
    options.pool.mode = mode;
    options.policies = {policy};
    return options;
}

void expect_cancels(Script& script, std::size_t count) {
    script.expect([count](World& world) { EXPECT_EQ(world.cancels().size(), count); });
}
void end_cancels(Script& script) {
    script.then([](World& world) { world.end_cancels(); });
}
Bytes cancelled() {
    return server::error("57014", "canceling statement due to user request");
}
Bytes execute_all(const std::string& text) {
    return client::parse("", text) + client::bind("", "") + client::execute("");
}

TEST(Limits, a_query_beyond_its_time_is_cancelled_once_and_answered_by_the_policy) {
    Script script(limited());
    script.client_sends(client::query("slow")).wait(400ms);
    expect_cancels(script, 0);
    script.wait(100ms);
    expect_cancels(script, 1);
    script.wait(100ms);
    expect_cancels(script, 1);
    end_cancels(script);
    script.server_sends(cancelled() + server::ready())
        .expect_to_client(std::string(too_long) + "ReadyForQuery I\n")
        .expect_to_server("Query \"slow\"\n")
        .exchange(0, 0, "select 1");
    script.run();
}

TEST(Limits, in_a_transaction_the_status_is_the_servers) {
    Script script(limited());
    script.client_sends(client::query("begin"))
        .server_sends(server::command_complete("BEGIN") + server::ready('T'))
        .expect_to_client("CommandComplete \"BEGIN\"\nReadyForQuery T\n")
        .client_sends(client::query("slow"))
        .wait(500ms);
    end_cancels(script);
    script.server_sends(cancelled() + server::ready('E'))
        .expect_to_client(std::string(too_long) + "ReadyForQuery E\n")
        .expect_to_server("Query \"begin\"\nQuery \"slow\"\n")
        .exchange(0, 0, "rollback");
    script.run();
}

// The server keeps the answer to BEGIN to itself while the first statement runs: no Flush is between them.
TEST(Limits, the_first_statement_behind_a_lazy_begin_is_cancelled_too) {
    const std::string sent = "Parse \"\" \"begin\"\nBind \"\" \"\"\nExecute \"\" 0\nClose P \"\"\n";
    for (const bool is_extended : {false, true}) {
        World::Options options = limited();
        options.pool.lazy_begin = true;
        Script script(options);
        const Bytes opened = server::parse_complete() + server::bind_complete() + server::command_complete("BEGIN") +
                             server::close_complete();
        script.client_sends(client::query("begin")).expect_to_client("CommandComplete \"BEGIN\"\nReadyForQuery T\n");
        if (is_extended) {
            script.client_sends(execute_all("slow") + client::sync());
            script.expect_to_server(sent + "Parse \"\" \"slow\"\nBind \"\" \"\"\nExecute \"\" 0\nFlush\nSync\n");
        } else {
            script.client_sends(client::query("slow")).expect_to_server(sent + "Query \"slow\"\n");
        }
        script.wait(400ms);
        expect_cancels(script, 0);
        script.wait(100ms);
        expect_cancels(script, 1);
        end_cancels(script);
        const Bytes parsed = is_extended ? server::parse_complete() + server::bind_complete() : Bytes();
        script.server_sends(opened + parsed + cancelled() + server::ready('E'))
            .expect_to_client((is_extended ? "ParseComplete\nBindComplete\n" : "") + std::string(too_long) +
                              "ReadyForQuery E\n");
        script.run();
    }
}

// A server that has read nothing in all that time is at BEGIN when the cancel comes.
TEST(Limits, a_cancel_that_hits_a_lazy_begin_is_answered_by_the_policy_too) {
    World::Options options = limited();
    options.pool.lazy_begin = true;
    Script script(options);
    script.client_sends(client::query("begin")).expect_to_client("CommandComplete \"BEGIN\"\nReadyForQuery T\n");
    script.client_sends(client::query("slow")).wait(500ms);
    end_cancels(script);
    script.server_sends(cancelled())
        .server_sends(server::ready())
        .expect_to_client(std::string(too_long) + "ReadyForQuery E\n");
    script.run();
}

TEST(Limits, what_ends_by_itself_meanwhile_is_not_replaced) {
    Script script(limited());
    script.client_sends(client::query("slow")).wait(500ms);
    script.server_sends(server::one_row("1")).expect([](World& world) {
        EXPECT_NE(test::describe(world.client(0).peer.take()).find("CommandComplete"), std::string::npos);
    });
    script.client_sends(client::query("slow again")).wait(500ms);
    end_cancels(script);
    script.wait(500ms)
        .server_sends(server::error("22012", "division by zero") + server::ready())
        .expect([](World& world) {
            EXPECT_NE(test::describe(world.client(0).peer.take()).find("22012"), std::string::npos);
        });
    script.run();
}

TEST(Limits, a_cancel_that_has_hit_nothing_is_repeated_each_second) {
    Script script(limited());
    script.client_sends(client::query("slow")).wait(500ms);
    end_cancels(script);
    script.wait(900ms);
    expect_cancels(script, 0);
    script.wait(100ms);
    expect_cancels(script, 1);
    end_cancels(script);
    script.server_sends(cancelled() + server::ready()).expect_to_client(std::string(too_long) + "ReadyForQuery I\n");
    script.run();
}

TEST(Limits, nothing_begins_while_a_cancel_is_on_its_way_that_could_hit_it) {
    Script script(limited(config::PoolMode::session));
    script.client_sends(client::query("slow")).wait(500ms);
    script.server_sends(server::command_complete("SELECT 0") + server::ready())
        .expect_to_client("CommandComplete \"SELECT 0\"\nReadyForQuery I\n")
        .expect_to_server("Query \"slow\"\n")
        .client_sends(client::query("select 1"))
        .expect_to_server("");
    end_cancels(script);
    script.wait(50ms).expect_to_server("Query \"select 1\"\n");
    script.run();
}

TEST(Limits, other_statements_run_as_long_as_they_like) {
    Script script(limited());
    script.client_sends(client::query("select 1")).wait(50s);
    expect_cancels(script, 0);
    script.run();
}

TEST(Limits, an_execute_is_flushed_and_has_the_limit_of_what_it_runs) {
    for (const auto mode : {config::PoolMode::transaction, config::PoolMode::session}) {
        Script script(limited(mode));
        script.client_sends(execute_all("slow") + client::sync())
            .expect([](World& world) {
                EXPECT_NE(test::describe_client(world.server(0).take()).find("Execute \"\" 0\nFlush\nSync\n"),
                          std::string::npos);
            })
            .wait(500ms);
        expect_cancels(script, 1);
        end_cancels(script);
        script.server_sends(server::parse_complete() + server::bind_complete() + cancelled() + server::ready())
            .expect_to_client("ParseComplete\nBindComplete\n" + std::string(too_long) + "ReadyForQuery I\n");
        script.run();
    }
}

TEST(Limits, time_counts_from_the_answer_to_what_runs_before_it) {
    Script script(limited());
    script.client_sends(execute_all("select 1") + execute_all("slow") + client::sync())
        .expect_to_server(
            "Parse \"\" \"select 1\"\nBind \"\" \"\"\nExecute \"\" 0\n"
            "Parse \"\" \"slow\"\nBind \"\" \"\"\nFlush\nExecute \"\" 0\nFlush\nSync\n")
        .wait(10s);
    expect_cancels(script, 0);
    script
        .server_sends(server::parse_complete() + server::bind_complete() + server::command_complete("SELECT 1") +
                      server::parse_complete() + server::bind_complete())
        .wait(400ms);
    expect_cancels(script, 0);
    script.wait(100ms);
    expect_cancels(script, 1);
    end_cancels(script);
    script.server_sends(cancelled() + server::ready())
        .expect_to_client("ParseComplete\nBindComplete\nCommandComplete \"SELECT 1\"\nParseComplete\nBindComplete\n" +
                          std::string(too_long) + "ReadyForQuery I\n");
    script.run();
}

TEST(Limits, a_statement_prepared_before_is_limited_by_the_rules_of_its_bind) {
    Script script(limited());
    script.client_sends(client::parse("s", "slow") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_client("ParseComplete\nReadyForQuery I\n")
        .client_sends(client::bind("", "s") + client::execute("") + client::sync())
        .wait(500ms);
    expect_cancels(script, 1);
    end_cancels(script);
    script.server_sends(server::bind_complete() + cancelled() + server::ready())
        .expect_to_client("BindComplete\n" + std::string(too_long) + "ReadyForQuery I\n");
    script.run();
}

TEST(Limits, what_is_cut_off_is_told_once_with_the_statement) {
    Script script(limited());
    script.client_sends(client::query("select 'slow'")).wait(400ms);
    script.expect([](World& world) { EXPECT_TRUE(world.limits().empty()); });
    script.wait(2000ms);
    script.expect(
        [](World& world) { EXPECT_EQ(world.limits(), std::vector<std::string>{"short max_duration: select $1"}); });
    script.run();
}

}  // namespace
}  // namespace pgsluice::session
