// Statements under `action: limit`: how many may run at a time, and begin in a second.
#include <gtest/gtest.h>
#include <support/script.hpp>

namespace pgsluice::session {
namespace {

using test::Script;
using test::World;
namespace client = test::client;
namespace server = test::server;
using namespace std::chrono_literals;

const std::string too_many = "ErrorResponse ERROR 53400 \"policy \"few\" allows 1 at a time\" R=\"pgsluice\"\n";
const std::string done = "CommandComplete \"OK\"\nReadyForQuery I\n";

struct Wanted {
    std::uint32_t concurrency = 1, rate = 0;
    config::LimitExcess excess = config::LimitExcess::refuse;
    config::LimitPer per = config::LimitPer::rule;
    std::uint32_t servers = 2;
    config::PoolMode mode = config::PoolMode::transaction;
};

World::Options limited(const Wanted& wanted = {}) {
    config::Policy policy;
    policy.name = "few";
    policy.when.pattern = "costly";
    policy.action = config::PolicyAction::limit;
    policy.limit.concurrency = wanted.concurrency;
    policy.limit.rate = wanted.rate;
    policy.limit.excess = wanted.excess;
    policy.limit.per = wanted.per;
    World::Options options;
    options.pool.size = wanted.servers;
    options.pool.mode = wanted.mode;
    options.pool.query_wait_timeout = 3s;
    options.policies = {policy};
    return options;
}
Bytes ok(char status = 'I') {
    return server::command_complete("OK") + server::ready(status);
}
Bytes execute_all(const std::string& text) {
    return client::parse("", text) + client::bind("", "") + client::execute("");
}
Bytes executed() {
    return server::parse_complete() + server::bind_complete() + server::command_complete("OK");
}
void is_pending(Script& script, std::size_t waiting) {
    script.expect([waiting](World& world) { EXPECT_EQ(world.pool().waiting(), waiting); });
}

TEST(Turns, one_beyond_them_is_refused_and_takes_no_server) {
    Script script(limited());
    script.add_client()
        .client_sends(client::query("costly"))
        .expect_to_server("Query \"costly\"\n")
        .client_sends(1, client::query("costly"))
        .expect_to_client(1, too_many + "ReadyForQuery I\n")
        .exchange(1, 1, "select 1")
        .server_sends(ok())
        .expect_to_client(done)
        .expect([](World& world) { EXPECT_EQ(world.pools().gauge(metrics::ServerState::idle), 2); });
    script.run();
}

TEST(Turns, an_execute_beyond_them_fails_its_batch) {
    for (const auto mode : {config::PoolMode::transaction, config::PoolMode::session}) {
        Script script(limited({.mode = mode}));
        script.add_client()
            .client_sends(client::query("costly"))
            .expect_to_server("Query \"costly\"\n")
            .client_sends(1, execute_all("costly") + client::sync())
            .expect_to_server(1,
                              "Parse \"\" \"costly\"\nBind \"\" \"\"\n"
                              "Parse \"pgsluice_refused\" \"refused by pgsluice\"\nSync\n")
            .server_sends(1, server::parse_complete() + server::bind_complete() +
                                 server::error("42601", "syntax error") + server::ready())
            .expect_to_client(1, "ParseComplete\nBindComplete\n" + too_many + "ReadyForQuery I\n");
        script.run();
    }
}

TEST(Turns, a_turn_is_given_back_when_it_is_answered_or_fails_or_its_client_or_server_goes) {
    const auto ends = std::vector<std::function<void(Script&)>>{
        [](Script& script) { script.server_sends(ok()); },
        [](Script& script) { script.server_sends(server::error("22012", "division by zero") + server::ready()); },
        [](Script& script) { script.client_leaves(); },
        [](Script& script) { script.server_leaves(); },
    };
    for (const auto& end : ends) {
        Script script(limited());
        script.add_client().client_sends(client::query("costly"));
        end(script);
        script.then([](World& world) {
            world.end_cancels();
            world.client_sends(1, client::query("costly"));
        });
        script.expect([](World& world) {
            EXPECT_EQ(test::describe(world.client(1).peer.take()).find("53400"), std::string::npos);
        });
        script.run_whole_unbroken();
    }
}

TEST(Turns, what_a_failed_batch_skips_gives_its_turn_back) {
    Script script(limited());
    script.client_sends(client::parse("", "broken") + execute_all("costly") + client::sync())
        .server_sends(server::error("42601", "syntax error") + server::ready())
        .expect_to_client("ErrorResponse ERROR 42601 \"syntax error\"\nReadyForQuery I\n")
        .client_sends(client::query("costly"))
        .server_sends(ok())
        .expect_to_client(done);
    script.run();
}

TEST(Turns, the_end_of_a_transaction_waits_for_none) {
    for (const std::string text : {"commit /* costly */", "ROLLBACK /* costly */", "end /* costly */"}) {
        for (const auto excess : {config::LimitExcess::refuse, config::LimitExcess::queue}) {
            Script script(limited({.excess = excess}));
            script.add_client()
                .client_sends(client::query("costly"))
                .expect_to_server("Query \"costly\"\n")
                .client_sends(1, client::query(text))
                .expect_to_server(1, "Query \"" + text + "\"\n")
                .server_sends(1, ok())
                .expect_to_client(1, done)
                .client_sends(1, execute_all(text) + client::sync())
                .server_sends(1, executed() + server::ready())
                .expect_to_client(1, "ParseComplete\nBindComplete\n" + done);
            script.run_whole();
        }
    }
}

TEST(Turns, what_does_more_than_end_a_transaction_waits_for_its_turn) {
    for (const std::string text :
         {"commit; select 1 /* costly */", "begin /* costly, */ isolation level serializable"}) {
        Script script(limited());
        script.add_client()
            .client_sends(client::query("costly"))
            .client_sends(1, client::query(text))
            .expect_to_client(1, too_many + "ReadyForQuery I\n");
        script.run_whole();
    }
}

TEST(Turns, a_pipeline_does_not_stand_in_its_own_way) {
    Script script(limited());
    script.client_sends(execute_all("costly") + execute_all("costly two") + client::sync())
        .server_sends(executed())
        .server_sends(executed() + server::ready())
        .expect_to_client("ParseComplete\nBindComplete\nCommandComplete \"OK\"\nParseComplete\nBindComplete\n" + done);
    script.run_whole();
}

TEST(Turns, the_next_one_waits_for_its_turn_without_a_server) {
    Script script(limited({.excess = config::LimitExcess::queue}));
    script.add_client()
        .client_sends(client::query("costly"))
        .expect_to_server("Query \"costly\"\n")
        .client_sends(1, client::query("costly two"))
        .wait(1s)
        .expect([](World& world) { EXPECT_EQ(world.session(1).server(), nullptr); })
        .server_sends(ok())
        .expect_to_client(done)
        .wait(50ms)
        .expect_to_server("Query \"costly two\"\n")
        .server_sends(ok())
        .expect_to_client(1, done);
    script.run();
}

TEST(Turns, an_execute_waits_for_its_turn) {
    Script script(limited({.excess = config::LimitExcess::queue}));
    script.add_client()
        .client_sends(client::query("costly"))
        .client_sends(1, execute_all("costly two") + client::sync())
        .expect_to_server(1, "Parse \"\" \"costly two\"\nBind \"\" \"\"\n")
        .server_sends(ok())
        .wait(50ms)
        .expect_to_server(1, "Execute \"\" 0\nFlush\nSync\n")
        .server_sends(1, executed() + server::ready())
        .expect_to_client(1, "ParseComplete\nBindComplete\n" + done);
    script.run();
}

TEST(Turns, nobody_waits_longer_than_query_wait_timeout) {
    Script script(limited({.excess = config::LimitExcess::queue}));
    script.add_client()
        .client_sends(client::query("costly"))
        .client_sends(1, client::query("costly"))
        .wait(2900ms)
        .expect_to_client(1, "")
        .wait(100ms)
        .expect_to_client(1,
                          "ErrorResponse ERROR 53300 \"timed out waiting: policy \"few\" allows 1 at a time\" "
                          "D=\"Waited 3000 ms.\" R=\"pgsluice\"\nReadyForQuery I\n")
        .exchange(1, 1, "select 1");
    script.run();
}

TEST(Turns, a_cancel_ends_the_wait) {
    Script script(limited({.excess = config::LimitExcess::queue}));
    script.add_client()
        .client_sends(client::query("costly"))
        .client_sends(1, client::query("costly"))
        .expect([](World& world) {
            world.session(1).cancel();
            world.settle();
        })
        .expect_to_client(1,
                          "ErrorResponse ERROR 57014 \"canceling statement due to user request\" "
                          "R=\"pgsluice\"\nReadyForQuery I\n");
    script.run();
}

TEST(Turns, one_that_waits_when_its_rule_is_taken_away_goes_on_waiting_by_it) {
    Script script(limited({.excess = config::LimitExcess::queue}));
    script.add_client()
        .client_sends(client::query("costly"))
        .expect_to_server("Query \"costly\"\n")
        .client_sends(1, client::query("costly two"))
        .then([](World& world) { world.set_policies({}); })
        .wait(1s)
        .server_sends(ok())
        .wait(50ms)
        .expect_to_server("Query \"costly two\"\n")
        .server_sends(ok())
        .expect_to_client(1, done)
        .exchange(1, 0, "costly");
    script.run();
}

// The limit of an Execute stands with its portal.
TEST(Turns, an_execute_that_waits_when_its_rule_is_taken_away_can_still_be_cancelled) {
    Script script(limited({.excess = config::LimitExcess::queue}));
    script.add_client()
        .client_sends(client::query("costly"))
        .client_sends(1, execute_all("costly two") + client::sync())
        .expect_to_server(1, "Parse \"\" \"costly two\"\nBind \"\" \"\"\n")
        .expect([](World& world) {
            world.set_policies({});
            world.refresh(world.session(1), world.rulebook());
            world.session(1).cancel();
            world.settle();
        })
        .server_sends(1, server::parse_complete() + server::bind_complete() + server::error("42601", "syntax error") +
                             server::ready())
        .expect_to_client(1,
                          "ParseComplete\nBindComplete\nErrorResponse ERROR 57014 \"canceling statement due to user "
                          "request\" R=\"pgsluice\"\nReadyForQuery I\n");
    script.run();
}

TEST(Turns, who_waits_for_a_server_has_no_turn_meanwhile) {
    Script script(limited({.servers = 1}));
    script.add_client().add_client();
    script.client_sends(client::query("begin")).server_sends(ok('T')).client_sends(1, client::query("costly"));
    is_pending(script, 1);
    script.client_sends(client::query("costly two"))
        .expect_to_server("Query \"begin\"\nQuery \"costly two\"\n")
        .server_sends(ok())
        .expect_to_server("Query \"costly\"\n")
        .server_sends(ok())
        .expect_to_client(1, done);
    script.run();
}

TEST(Turns, a_seconds_worth_may_begin_at_once) {
    Script script(limited({.concurrency = 0, .rate = 2}));
    script.exchange(0, 0, "costly")
        .exchange(0, 0, "costly")
        .client_sends(client::query("costly"))
        .expect_to_client(
            "ErrorResponse ERROR 53400 \"policy \"few\" allows 2 per second\" R=\"pgsluice\"\n"
            "ReadyForQuery I\n")
        .wait(500ms)
        .exchange(0, 0, "costly");
    script.run();
}

TEST(Turns, those_of_another_shape_are_counted_apart) {
    Script script(limited({.per = config::LimitPer::fingerprint}));
    script.add_client()
        .client_sends(client::query("select 1 as costly"))
        .client_sends(1, client::query("select 2 as costly"))
        .expect_to_client(1, too_many + "ReadyForQuery I\n")
        .exchange(1, 1, "select now() as costly");
    script.run();
}

TEST(Turns, who_is_refused_is_told_with_the_limit_and_the_statement) {
    Script script(limited());
    script.add_client()
        .client_sends(client::query("select 'costly'"))
        .client_sends(1, client::query("select 'costly', 2"))
        .client_sends(1, execute_all("select 'costly', 3") + client::sync());
    script.expect([](World& world) { EXPECT_EQ(world.limits().at(0), "few concurrency: select $1, $2"); });
    script.run();
}

TEST(Turns, who_waits_in_vain_is_told_and_who_waits_is_not) {
    Script script(limited({.excess = config::LimitExcess::queue}));
    script.add_client()
        .client_sends(client::query("select 'costly'"))
        .client_sends(1, client::query("select 'costly', 2"))
        .wait(1s);
    script.expect([](World& world) { EXPECT_TRUE(world.limits().empty()); });
    script.wait(3s);
    script.expect(
        [](World& world) { EXPECT_EQ(world.limits(), std::vector<std::string>{"few concurrency: select $1, $2"}); });
    script.run();
}

}  // namespace
}  // namespace pgsluice::session
