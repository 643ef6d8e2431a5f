#include <pgsluice/admin/command.hpp>

#include <gtest/gtest.h>

namespace pgsluice::admin {
namespace {

std::string said(ByteView text, Role role = Role::admin) {
    const auto parsed = parse(text, role);
    if (const auto* error = std::get_if<wire::SqlError>(&parsed)) return std::string(error->code());
    const auto& command = std::get<Command>(parsed);
    return command.tag + ' ' + command.argument;
}

TEST(Command, is_read_as_people_type_it) {
    EXPECT_EQ(said("SHOW POOLS;"), "SHOW pools");
    EXPECT_EQ(said("  show\n\tpools ;; "), "SHOW pools");
    EXPECT_EQ(said("show \"Pools\""), "SHOW pools");
    EXPECT_EQ(said("SELECT version"), "SHOW version");
    EXPECT_EQ(said("show timezone"), "SHOW timezone");
    EXPECT_EQ(said("set extra_float_digits = 3"), "SET extra_float_digits");
    EXPECT_EQ(said("reload"), "RELOAD ");
    EXPECT_EQ(said("RECONNECT \"My Db\""), "RECONNECT My Db");
    EXPECT_EQ(said("kill_client 17"), "KILL_CLIENT 17");
    EXPECT_EQ(said("SHUTDOWN WAIT_FOR_SERVERS"), "SHUTDOWN wait_for_servers");
    EXPECT_EQ(said(""), " ");
    EXPECT_EQ(said(" ; "), " ");
}

TEST(Command, that_nobody_knows_is_a_syntax_error) {
    for (const char* text : {"show", "show nonsense", "show pools x", "show pools; reload", "nonsense", "reload now",
                             "kill_client", "show \"pools", "set", "select 1 from t", "'show' pools x"}) {
        EXPECT_EQ(said(text), "42601") << text;
    }
}

TEST(Command, that_changes_something_is_for_administrators) {
    for (const char* text : {"reload", "reconnect", "reconnect app", "kill_client 1", "shutdown"}) {
        EXPECT_EQ(said(text, Role::stats), "42501") << text;
    }
    for (const char* text : {"show pools", "show help", "show timezone", "set x = 1", "begin", "commit", ""}) {
        EXPECT_NE(said(text, Role::stats), "42501") << text;
    }
}

}  // namespace
}  // namespace pgsluice::admin
