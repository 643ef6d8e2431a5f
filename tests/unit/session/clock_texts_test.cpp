// Prepared statements whose constants may be read from the clock: each Parse is its client's alone.
#include "statement_scripts.hpp"

#include <gtest/gtest.h>

namespace pgsluice::session {
namespace {

constexpr const char* text = "select 'now'::date";

std::string prepares_nth(int parse) {
    return "Parse \"" + our_name(text, parse) + "\" \"" + text + "\"\n";
}
std::string runs_nth(int parse) {
    return "Bind \"\" \"" + our_name(text, parse) + "\"\nExecute \"\" 0\nSync\n";
}
Bytes parsed() {
    return server::parse_complete() + server::ready();
}

TEST(ClockTexts, are_parsed_at_every_parse_and_keep_what_they_read) {
    Script script;
    script.add_client()
        .client_sends(client::parse("a", text) + client::sync())
        .server_sends(parsed())
        .client_sends(1, client::parse("b", text) + client::sync())
        .server_sends(parsed())
        .expect_to_server(prepares_nth(1) + "Sync\n" + prepares_nth(2) + "Sync\n")
        .client_sends(run("a"))
        .server_sends(answered("A"))
        .client_sends(1, run("b"))
        .expect_to_server(runs_nth(1) + runs_nth(2));
    script.run();
}

TEST(ClockTexts, are_parsed_again_by_a_client_that_closes_them) {
    Script script;
    script.client_sends(client::parse("a", text) + client::sync())
        .server_sends(parsed())
        .client_sends(client::close_statement("a") + client::parse("a", text) + client::sync())
        .server_sends(parsed())
        .expect_to_client("ParseComplete\nReadyForQuery I\nCloseComplete\nParseComplete\nReadyForQuery I\n")
        .client_sends(run("a"))
        .expect_to_server(prepares_nth(1) + "Sync\n" + prepares_nth(2) + "Sync\n" + runs_nth(2));
    script.run();
}

TEST(ClockTexts, are_nobody_elses_on_another_server_either) {
    Script script = on_two_servers();
    script.client_sends(client::parse("a", text) + client::sync())
        .server_sends(parsed())
        .expect_to_server(prepares_nth(1) + "Sync\n");
    hold_server(script, 1, 0);
    script.client_sends(run("a"))
        .expect_to_server(1, prepares_nth(1) + runs_nth(1))
        .server_sends(1, server::parse_complete() + answered("A"))
        .client_sends(client::parse("b", text) + client::sync())
        .expect_to_server(1, prepares_nth(2) + "Sync\n");
    script.run();
}

TEST(ClockTexts, leave_their_place_on_the_server_first_once_they_are_closed) {
    World::Options options;
    options.pool.max_prepared_statements = 2;
    Script script(options);
    script.client_sends(client::parse("s", "A") + client::sync())
        .server_sends(parsed())
        .client_sends(client::parse("a", text) + client::close_statement("a") + client::sync())
        .server_sends(parsed())
        .client_sends(client::parse("a", text) + client::sync())
        .expect_to_server(prepares("A") + "Sync\n" + prepares_nth(1) + "Sync\nClose S \"" + our_name(text, 1) + "\"\n" +
                          prepares_nth(2) + "Sync\n");
    script.run();
}

}  // namespace
}  // namespace pgsluice::session
