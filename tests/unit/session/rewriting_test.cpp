// What a rule makes of a statement goes to the server in its place, whole, however the client's bytes come.
#include <gtest/gtest.h>
#include <support/script.hpp>

namespace pgsluice::session {
namespace {

using test::Script;
using test::World;
namespace client = test::client;
namespace server = test::server;

World::Options with_more_for_ten() {
    config::Policy policy;
    policy.name = "more";
    policy.when.pattern = "ten";
    policy.action = config::PolicyAction::rewrite;
    policy.rewrite.pattern = "ten";
    policy.rewrite.replacement = "eleven or more";
    World::Options options;
    options.policies = {policy};
    return options;
}

TEST(Rewriting, gives_the_server_another_query) {
    Script script(with_more_for_ten());
    script.client_sends(client::query("select ten") + client::query("select two"))
        .expect_to_server("Query \"select eleven or more\"\nQuery \"select two\"\n")
        .server_sends(server::one_row("11") + server::one_row("2"));
    script.run();
}

TEST(Rewriting, keeps_the_name_and_the_parameters_of_a_statement) {
    World::Options options = with_more_for_ten();
    options.pool.mode = config::PoolMode::session;
    Script script(options);
    script.client_sends(client::parse("s", "select ten, $1", {23, 25}) + client::bind("", "s") + client::sync())
        .expect_to_server("Parse \"s\" \"select eleven or more, $1\" 23 25\nBind \"\" \"s\"\nSync\n")
        .server_sends(server::parse_complete() + server::bind_complete() + server::ready());
    script.run();
}

TEST(Rewriting, is_done_once_for_a_statement_that_waits) {
    Script script(with_more_for_ten());
    script.add_client()
        .client_sends(client::query("begin"))
        .server_sends(server::command_complete("BEGIN") + server::ready('T'))
        .client_sends(1, client::query("select ten"))
        .expect([](World& world) { EXPECT_EQ(world.session(1).state(), metrics::ClientState::waiting); })
        .client_sends(client::query("commit"))
        .server_sends(server::command_complete("COMMIT") + server::ready())
        .expect_to_server("Query \"begin\"\nQuery \"commit\"\nQuery \"select eleven or more\"\n")
        .server_sends(server::one_row("11"))
        .expect([](World& world) { EXPECT_EQ(world.verdicts().size(), 1U); });
    script.run();
}

TEST(Rewriting, leaves_a_message_that_is_malformed_to_the_server) {
    Script script(with_more_for_ten());
    script.client_sends(client::message('Q', "select ten"))
        .server_sends(server::error("08P01", "invalid message format") + server::ready())
        .expect_to_client("ErrorResponse ERROR 08P01 \"invalid message format\"\nReadyForQuery I\n");
    script.run();
}

}  // namespace
}  // namespace pgsluice::session
