// What the policies refuse, and what a refusal looks like: outside of a transaction, inside one, and in a pipeline, by
// both protocols. The server hears of a refusal only where something of the client's is open there.
#include <gtest/gtest.h>
#include <support/script.hpp>

namespace pgsluice::session {
namespace {

using config::PolicyAction;
using config::PolicyMode;
using metrics::ServerState;
using test::Script;
using test::World;
namespace client = test::client;
namespace server = test::server;
using Verdicts = std::vector<std::string>;

constexpr const char* blocked = "ErrorResponse ERROR 42501 \"blocked\" R=\"pgsluice\"\n";
constexpr const char* begun = "CommandComplete \"BEGIN\"\nReadyForQuery T\n";

config::Policy no_drops(PolicyAction action = PolicyAction::block, PolicyMode mode = PolicyMode::enforce) {
    config::Policy policy;
    policy.name = "no drops";
    policy.when.pattern = "^drop ";
    policy.action = action;
    policy.mode = mode;
    policy.message = "blocked";
    return policy;
}

Script with(std::vector<config::Policy> policies, config::Limits limits = {}) {
    World::Options options;
    options.policies = std::move(policies);
    options.limits = limits;
    return Script(options);
}

void begin(Script& script) {
    script.client_sends(client::query("begin"))
        .expect_to_server("Query \"begin\"\n")
        .server_sends(server::command_complete("BEGIN") + server::ready('T'))
        .expect_to_client(begun);
}

void expect_verdicts(Script& script, Verdicts expected) {
    script.expect([expected](World& world) { EXPECT_EQ(world.verdicts(), expected); });
}

TEST(PolicyGate, a_query_outside_a_transaction_is_refused_without_a_server) {
    Script script = with({no_drops()});
    script.client_sends(client::query("drop table t")).expect_to_server("");
    script.expect_to_client(std::string(blocked) + "ReadyForQuery I\n").exchange(0, 0, "select 1");
    expect_verdicts(script, {"block"});
    script.run();
}

TEST(PolicyGate, a_batch_outside_a_transaction_is_refused_up_to_its_sync) {
    Script script = with({no_drops()});
    script.client_sends(client::extended("drop table t") + client::query("skipped") + client::flush())
        .expect_to_client(blocked)
        .client_sends(client::sync())
        .expect_to_client("ReadyForQuery I\n")
        .expect_to_server("")
        .exchange(0, 0, "select 1");
    script.run();
}

// PostgreSQL destroys it when it has read either message, before anything can fail.
TEST(PolicyGate, what_is_refused_without_a_server_destroys_the_unnamed_statement_all_the_same) {
    for (const Bytes& refused : {client::query("drop table t"), client::parse("", "drop table t") + client::sync()}) {
        Script script = with({no_drops()});
        script.client_sends(client::parse("", "A") + client::sync())
            .server_sends(server::parse_complete() + server::ready())
            .expect_to_server("Parse \"\" \"A\"\nSync\n")
            .expect_to_client("ParseComplete\nReadyForQuery I\n")
            .client_sends(refused)
            .expect_to_client(std::string(blocked) + "ReadyForQuery I\n")
            .client_sends(client::bind() + client::sync())
            .expect_to_server("Close S \"\"\nBind \"\" \"\"\nSync\n");
        script.run();
    }
}

TEST(PolicyGate, a_query_that_is_refused_inside_a_transaction_destroys_the_unnamed_statement_all_the_same) {
    Script script = with({no_drops()});
    begin(script);
    script.client_sends(client::parse("", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready('T'))
        .client_sends(client::query("drop table t"))
        .server_sends(server::error("42601", "refused") + server::ready('E'))
        .then([](World& world) { world.server(0).take(); })
        .client_sends(client::bind() + client::sync())
        .expect_to_server("Close S \"\"\nBind \"\" \"\"\nSync\n");
    script.run();
}

TEST(PolicyGate, a_parse_that_is_refused_in_a_batch_destroys_the_unnamed_statement_unless_it_is_skipped) {
    for (const bool is_skipped : {false, true}) {
        Script script = with({no_drops()});
        script.client_sends(client::parse("", "A") + client::sync())
            .server_sends(server::parse_complete() + server::ready())
            .client_sends(client::bind("", is_skipped ? "nope" : "") + client::parse("", "drop table t") +
                          client::sync())
            .server_sends((is_skipped ? Bytes() : server::bind_complete()) + server::error("42601", "no") +
                          server::ready())
            .expect_to_server("Parse \"\" \"A\"\nSync\nBind \"\" \"" + std::string(is_skipped ? "nope" : "") +
                              "\"\nParse \"\" \"" + std::string(protocol::refused_text) + "\"\nSync\n")
            .client_sends(client::bind() + client::sync())
            .expect_to_server((is_skipped ? "Parse \"\" \"A\"" : "Close S \"\"") +
                              std::string("\nBind \"\" \"\"\nSync\n"));
        script.run();
    }
}

TEST(PolicyGate, a_named_parse_that_is_refused_leaves_the_unnamed_statement) {
    Script script = with({no_drops()});
    script.client_sends(client::parse("", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_server("Parse \"\" \"A\"\nSync\n")
        .client_sends(client::parse("s", "drop table t") + client::sync())
        .client_sends(client::bind() + client::sync())
        .expect_to_server("Bind \"\" \"\"\nSync\n");
    script.run();
}

TEST(PolicyGate, a_query_inside_a_transaction_fails_it) {
    Script script = with({no_drops()});
    begin(script);
    script.client_sends(client::query("drop table t"))
        .expect_to_server("Query \"refused by pgsluice\"\n")
        .server_sends(server::error("42601", "syntax error at or near \"refused\"") + server::ready('E'))
        .expect_to_client(std::string(blocked) + "ReadyForQuery E\n")
        .exchange(0, 0, "rollback");
    expect_verdicts(script, {"block"});
    script.run();
}

TEST(PolicyGate, a_batch_inside_a_transaction_fails_it) {
    Script script = with({no_drops()});
    begin(script);
    script.client_sends(client::parse("s", "drop table t") + client::sync())
        .expect_to_server("Parse \"pgsluice_refused\" \"refused by pgsluice\"\nSync\n")
        .server_sends(server::error("42601", "syntax error") + server::ready('E'))
        .expect_to_client(std::string(blocked) + "ReadyForQuery E\n")
        .exchange(0, 0, "rollback");
    script.run();
}

TEST(PolicyGate, what_stands_in_front_of_it_in_its_batch_is_answered_first) {
    Script script = with({no_drops()});
    script
        .client_sends(client::extended("select 1") + client::parse("s", "drop table t") + client::execute() +
                      client::sync())
        .expect_to_server(
            "Parse \"\" \"select 1\"\nBind \"\" \"\"\nDescribe P \"\"\nExecute \"\" 0\n"
            "Parse \"pgsluice_refused\" \"refused by pgsluice\"\nExecute \"\" 0\nSync\n")
        .server_sends(server::parse_complete() + server::bind_complete() + server::no_data() +
                      server::command_complete("SELECT 1") + server::error("42601", "syntax error") + server::ready())
        .expect_to_client("ParseComplete\nBindComplete\nNoData\nCommandComplete \"SELECT 1\"\n" + std::string(blocked) +
                          "ReadyForQuery I\n")
        .expect([](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::idle), 1); });
    script.run();
}

TEST(PolicyGate, a_query_behind_others_is_answered_in_its_turn) {
    Script script = with({no_drops()});
    script.client_sends(client::query("a") + client::query("drop table t") + client::query("b"))
        .expect_to_server("Query \"a\"\nQuery \"refused by pgsluice\"\nQuery \"b\"\n")
        .server_sends(server::command_complete("A") + server::ready() + server::error("42601", "syntax error") +
                      server::ready() + server::command_complete("B") + server::ready())
        .expect_to_client("CommandComplete \"A\"\nReadyForQuery I\n" + std::string(blocked) +
                          "ReadyForQuery I\nCommandComplete \"B\"\nReadyForQuery I\n");
    script.run();
}

TEST(PolicyGate, what_the_server_skips_is_not_judged) {
    Script script = with({no_drops()});
    script.client_sends(client::parse("", "broken") + client::flush())
        .server_sends(server::error("42601", "syntax error"))
        .expect_to_client("ErrorResponse ERROR 42601 \"syntax error\"\n")
        .client_sends(client::parse("", "drop table t") + client::sync())
        .server_sends(server::ready())
        .expect_to_client("ReadyForQuery I\n");
    expect_verdicts(script, {});
    script.run();
}

TEST(PolicyGate, a_rule_that_does_not_decide_lets_pass_and_tells) {
    const config::Policy rules[] = {no_drops(PolicyAction::block, PolicyMode::shadow), no_drops(PolicyAction::log),
                                    no_drops(PolicyAction::allow)};
    for (const config::Policy& rule : rules) {
        Script script = with({rule});
        script.exchange(0, 0, "drop table t").exchange(0, 0, "select 1");
        expect_verdicts(script, {"allow"});
        script.run();
    }
}

TEST(PolicyGate, a_statement_that_waits_for_a_server_is_judged_once) {
    Script script = with({no_drops(PolicyAction::log)});
    script.add_client();
    begin(script);
    script.client_sends(1, client::query("drop table t"));
    expect_verdicts(script, {"allow"});
    script.exchange(0, 0, "commit")
        .expect_to_server("Query \"drop table t\"\n")
        .server_sends(server::command_complete("DROP") + server::ready())
        .expect_to_client(1, "CommandComplete \"DROP\"\nReadyForQuery I\n");
    expect_verdicts(script, {"allow"});
    // The next one is judged for itself.
    script.exchange(1, 0, "drop table u");
    expect_verdicts(script, {"allow", "allow"});
    script.run();
}

// --- What is too long

constexpr std::size_t inspected = 40;
const std::string long_text = "select '" + std::string(inspected, 'x') + "'";

TEST(PolicyGate, a_statement_too_long_to_be_inspected_is_refused_where_one_could_be_blocked) {
    const auto refused = [](const Bytes& message) {
        return "ErrorResponse ERROR 54000 \"statement is too long to be inspected\" D=\"Policies apply to this "
               "connection, and the statement has " +
               std::to_string(message.size()) +
               " bytes.\" H=\"Raise limits.inspect_bytes, or send the data as parameters or by COPY.\" "
               "R=\"pgsluice\"\n";
    };
    const Bytes query = client::query(long_text), parse = client::parse("", long_text);
    Script script = with({no_drops()}, {.inspect_bytes = inspected});
    script.client_sends(query)
        .expect_to_client(refused(query) + "ReadyForQuery I\n")
        .client_sends(parse + client::bind() + client::sync())
        .expect_to_client(refused(parse) + "ReadyForQuery I\n")
        .expect_to_server("");
    begin(script);
    script.client_sends(query)
        .expect_to_server("Query \"refused by pgsluice\"\n")
        .server_sends(server::error("42601", "syntax error") + server::ready('E'))
        .expect_to_client(refused(query) + "ReadyForQuery E\n");
    expect_verdicts(script, {});
    script.run();
}

TEST(PolicyGate, a_statement_too_long_to_be_inspected_passes_where_none_could_be_blocked) {
    Script script = with({no_drops(PolicyAction::log)}, {.inspect_bytes = inspected});
    script.client_sends(client::query(long_text))
        .expect_to_server("Query \"" + long_text + "\"\n")
        .server_sends(server::command_complete("SELECT 1") + server::ready())
        .expect_to_client("CommandComplete \"SELECT 1\"\nReadyForQuery I\n")
        .expect([](World& world) { EXPECT_EQ(world.metrics().uninspected.value(), 1U); })
        .exchange(0, 0, "select 1")
        .expect([](World& world) { EXPECT_EQ(world.metrics().uninspected.value(), 1U); });
    script.run_whole_unbroken();
}

// Its text was never seen whole, so it is on that server alone.
TEST(PolicyGate, a_parse_too_long_to_be_held_keeps_its_server) {
    Script script = with({}, {.inspect_bytes = inspected});
    script.client_sends(client::parse("s", long_text).substr(0, inspected + 5))
        .client_sends(client::parse("s", long_text).substr(inspected + 5) + client::sync())
        .expect_to_server("Parse \"s\" \"" + long_text + "\"\nSync\n")
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_client("ParseComplete\nReadyForQuery I\n")
        .expect([](World& world) { EXPECT_EQ(world.pools().gauge(ServerState::active), 1); })
        .client_leaves()
        .expect([](World& world) { EXPECT_EQ(world.server(0).closed_for, metrics::ServerClose::unclean); });
    script.run_whole_unbroken();
}

TEST(PolicyGate, a_message_longer_than_any_may_be_is_refused) {
    const Bytes query = client::query(long_text);
    // The limit is of the length word, which does not count the type.
    Script allowed = with({}, {.message_bytes = query.size() - 1});
    allowed.exchange(0, 0, long_text).run();
    Script refused = with({}, {.message_bytes = query.size() - 2});
    refused.client_sends(query)
        .expect_to_client(
            "ErrorResponse ERROR 54000 \"message is longer than limits.message_bytes allows\" D=\"The "
            "message has " +
            std::to_string(query.size()) + " bytes.\" R=\"pgsluice\"\nReadyForQuery I\n")
        .expect_to_server("");
    refused.run();
}

// A name that is unsettled holds it, and it comes again.
TEST(PolicyGate, a_parse_that_is_held_is_judged_once) {
    config::Policy log = no_drops();
    log.action = config::PolicyAction::log;
    Script script = with({log});
    script
        .client_sends(client::parse("s", "select 1") + client::sync() + client::parse("s", "drop table t") +
                      client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .server_sends(server::error("42601", "syntax error") + server::ready());
    expect_verdicts(script, {"allow"});
    script.run_whole_unbroken();
}

// --- Whose rules they are

// It was held for the answer, which made the server skip it. A Sync with a body ends that without being admitted as
// one.
TEST(PolicyGate, what_passed_and_was_skipped_lets_nothing_else_pass) {
    Script script = with({no_drops()});
    const Bytes malformed_sync = client::message('S', "x");
    script
        .client_sends(client::parse("", "select 1") + client::bind("", "nope") + client::query("select 2") +
                      malformed_sync + client::query("drop table t"))
        .server_sends(server::parse_complete() + server::error("26000", "no"))
        .server_sends(server::ready())
        .expect([](World& world) {
            EXPECT_EQ(test::describe_client(world.server(0).take()).find("drop"), std::string::npos);
        });
    script.run();
}

// Its client is between two statements and yet not at rest, so it outlives its route for a while.
TEST(PolicyGate, a_client_whose_route_is_gone_goes_on_by_the_rules_that_it_had) {
    Script script = with({no_drops()});
    script.client_sends(client::bind("", "nope"))
        .server_sends(server::error("26000", "no"))
        .then([](World& world) {
            world.set_policies({});
            world.lose_route();
        })
        .client_sends(client::sync())
        .server_sends(server::ready())
        .client_sends(client::query("drop table t"))
        .expect_to_client(std::string("ErrorResponse ERROR 26000 \"no\"\nReadyForQuery I\n") + std::string(blocked) +
                          "ReadyForQuery I\n");
    script.run();
}

TEST(PolicyGate, rules_stay_what_they_are_to_the_end_of_a_transaction) {
    Script script = with({no_drops()});
    begin(script);
    script.then([](World& world) { world.set_policies({}); })
        .client_sends(client::query("drop table t"))
        .expect_to_server("Query \"refused by pgsluice\"\n")
        .server_sends(server::error("42601", "syntax error") + server::ready('E'))
        .expect_to_client(std::string(blocked) + "ReadyForQuery E\n")
        .exchange(0, 0, "rollback")
        .exchange(0, 0, "drop table t");
    script.run();
}

TEST(PolicyGate, a_client_at_rest_is_under_the_new_rules_at_once) {
    Script script = with({});
    script.exchange(0, 0, "drop table t")
        .then([](World& world) { world.set_policies({no_drops()}); })
        .client_sends(client::query("drop table t"))
        .expect_to_client(std::string(blocked) + "ReadyForQuery I\n");
    script.run();
}

TEST(PolicyGate, what_was_prepared_under_other_rules_is_judged_where_it_is_bound) {
    Script script = with({});
    script.client_sends(client::parse("s", "drop table t") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .then([](World& world) { world.set_policies({no_drops()}); })
        .client_sends(client::bind("", "s") + client::execute() + client::sync())
        .server_sends(server::error("42601", "syntax error") + server::ready())
        .expect_to_client("ParseComplete\nReadyForQuery I\n" + std::string(blocked) + "ReadyForQuery I\n");
    expect_verdicts(script, {"block"});
    script.run();
}

TEST(PolicyGate, what_was_prepared_under_the_same_rules_is_judged_once) {
    Script script = with({no_drops(PolicyAction::log)});
    script.client_sends(client::parse("s", "drop table t") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .client_sends(client::bind("", "s") + client::execute() + client::sync())
        .server_sends(server::bind_complete() + server::command_complete("DROP TABLE") + server::ready());
    expect_verdicts(script, {"allow"});
    script.run();
}

TEST(PolicyGate, an_application_that_renames_itself_is_under_the_rules_of_its_new_name) {
    config::Policy policy = no_drops();
    policy.when.applications = {"psql"};
    Script script = with({policy});
    script.exchange(0, 0, "drop table t")
        .client_sends(client::query("set application_name = psql"))
        .expect_to_server("Query \"set application_name = psql\"\n")
        .server_sends(server::command_complete("SET") + server::parameter_status("application_name", "psql") +
                      server::ready())
        .expect_to_client("CommandComplete \"SET\"\nParameterStatus \"application_name\" \"psql\"\nReadyForQuery I\n")
        .client_sends(client::query("drop table t"))
        .expect_to_client(std::string(blocked) + "ReadyForQuery I\n")
        .expect_to_server("");
    script.run();
}

}  // namespace
}  // namespace pgsluice::session
