// What a client was told of a prepared statement, and what becomes of that on another server.
#include "statement_scripts.hpp"

#include <gtest/gtest.h>

namespace pgsluice::session {
namespace {

const ByteView int4("\0\1\0\0\0\x17", 6);

std::string asks_for_result(const std::string& name) {
    return "Parse \"" + name + "\" \"select $1\" 23\nDescribe S \"" + name + "\"\nFlush\n";
}

// Client 1 has a statement that it has had described on server 0, which client 0 holds then.
Script on_another_server_than_described() {
    Script script = on_two_servers();
    script.client_sends(1, client::parse("s", "select $1") + client::describe_statement("s") + client::sync())
        .server_sends(server::parse_complete() + server::parameter_description({23}) + server::row_description({"a"}) +
                      server::ready())
        .expect_to_server(prepares("select $1") + "Describe S \"" + our_name("select $1") + "\"\nSync\n")
        .expect_to_client(1, "ParseComplete\nParameterDescription 23\nRowDescription \"a\"\nReadyForQuery I\n");
    hold_server(script, 0, 0);
    script.client_sends(1, run("s")).expect_to_server(1, asks_for_result(our_name("select $1", 0, {}, 0, int4)));
    return script;
}

Bytes described(std::string_view column) {
    return server::parse_complete() + server::parameter_description({23}) + server::row_description({column});
}

TEST(StatementTypes, that_were_described_are_bound_on_another_server_when_it_says_the_same) {
    Script script = on_another_server_than_described();
    const std::string runs_it = "Bind \"\" \"" + our_name("select $1", 0, {}, 0, int4) + "\"\nExecute \"\" 0\nSync\n";
    script.server_sends(1, described("a"))
        .expect_to_server(1, runs_it)
        .server_sends(1, answered("SELECT 1"))
        .expect_to_client(1, "BindComplete\nCommandComplete \"SELECT 1\"\nReadyForQuery I\n")
        .client_sends(1, run("s"))
        .expect_to_server(1, runs_it);
    script.run();
}

TEST(StatementTypes, whose_result_is_another_by_now_are_not_bound) {
    Script script = on_another_server_than_described();
    script.server_sends(1, described("b"))
        .expect_to_server(1, asks_for_result(our_name_behind_ddl("select $1", int4)))
        .server_sends(1, described("b"))
        .expect_to_server(1, "Parse \"pgsluice_refused\" \"refused by pgsluice\"\nExecute \"\" 0\nSync\n")
        .server_sends(1, server::error("42601", "syntax error") + server::ready())
        .expect_to_client(1,
                          "ErrorResponse ERROR 0A000 \"cached plan must not change result type\" "
                          "R=\"RevalidateCachedQuery\"\nReadyForQuery I\n");
    script.run();
}

// What one client was told is nothing that another one, or another database, has to do with.
TEST(StatementTypes, are_parsed_with_the_types_that_their_own_client_gives) {
    Script script = on_another_server_than_described();
    script.server_sends(1, described("a"))
        .expect_to_server(1, "Bind \"\" \"" + our_name("select $1", 0, {}, 0, int4) + "\"\nExecute \"\" 0\nSync\n")
        .server_sends(1, answered("SELECT 1"))
        .add_client()
        .client_sends(2, client::parse("t", "select $1") + client::sync())
        .expect_to_server(1, prepares("select $1") + "Sync\n");
    script.run();
}

}  // namespace
}  // namespace pgsluice::session
