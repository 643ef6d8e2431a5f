#include <pgsluice/admin/command.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace pgsluice::admin {
namespace {

std::string said(ByteView text, Role role = Role::admin) {
    const auto parsed = parse(text, role);
    if (const auto* error = std::get_if<wire::SqlError>(&parsed)) return std::string(error->code());
    const auto& command = std::get<Command>(parsed);
    return command.tag + ' ' + command.argument + (command.value.empty() ? "" : " = " + command.value);
}

TEST(Command, is_read_as_people_type_it) {
    EXPECT_EQ(said("SHOW POOLS;"), "SHOW pools");
    EXPECT_EQ(said("  show\n\tpools ;; "), "SHOW pools");
    EXPECT_EQ(said("show \"Pools\""), "SHOW pools");
    EXPECT_EQ(said("SELECT version"), "SHOW version");
    EXPECT_EQ(said("show timezone"), "SHOW timezone");
    EXPECT_EQ(said("set extra_float_digits = 3"), "SET extra_float_digits");
    EXPECT_EQ(said("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"), "SET SESSION");
    EXPECT_EQ(said("reload"), "RELOAD ");
    EXPECT_EQ(said("RECONNECT \"My Db\""), "RECONNECT My Db");
    EXPECT_EQ(said("kill_client 17"), "KILL_CLIENT 17");
    EXPECT_EQ(said("SHUTDOWN WAIT_FOR_SERVERS"), "SHUTDOWN wait_for_servers");
    EXPECT_EQ(said(""), " ");
    EXPECT_EQ(said(" ; "), " ");
}

TEST(Command, that_nobody_knows_is_a_syntax_error) {
    for (const char* text : {"show",
                             "show nonsense",
                             "show pools x",
                             "show pools; reload",
                             "nonsense",
                             "reload now",
                             "kill_client",
                             "show \"pools",
                             "set",
                             "select 1 from t",
                             "'show' pools x",
                             "set limits.login_timeout",
                             "set limits.login_timeout 10s",
                             "set x = 1 2",
                             "set x = 1; set y = 2",
                             "set x = '1",
                             "set x='1",
                             "set x=\"1",
                             "set",
                             "set =",
                             "set;",
                             "SET\tx='1"}) {
        EXPECT_EQ(said(text), "42601") << text;
    }
}

TEST(Command, with_an_empty_name_is_not_about_everything) {
    for (const char* text : {"kill \"\"", "kill ''", "pause \"\"", "resume ''", "shutdown ''", "disable \"\"",
                             "enable ''", "reconnect \"\";", "wait_close ''", "kill_client ''"}) {
        EXPECT_EQ(said(text), "42601") << text;
    }
}

TEST(Command, set_takes_keys_of_the_configuration) {
    EXPECT_EQ(said("SET 'limits.login_timeout' = '10s'"), "SET limits.login_timeout = 10s");
    EXPECT_EQ(said("set limits.login_timeout=10s;"), "SET limits.login_timeout = 10s");
    EXPECT_EQ(said("set \"routes[0].pool.size\" TO 5"), "SET routes[0].pool.size = 5");
    EXPECT_EQ(said("set routes[0].pool.mode = 'session'"), "SET routes[0].pool.mode = session");
    EXPECT_EQ(said("set x='a\"b'"), "SET x = a\"b");
    EXPECT_EQ(said("set 'clusters.My Own.max_connecting' = 3"), "SET clusters.My Own.max_connecting = 3");
}

TEST(Command, set_takes_options_of_pgbouncer_with_its_units) {
    EXPECT_EQ(said("SET query_timeout = 10"), "SET timeouts.query = 10s");
    EXPECT_EQ(said("SET QUERY_TIMEOUT = '0.25'"), "SET timeouts.query = 0250ms");
    EXPECT_EQ(said("SET query_timeout = 0"), "SET timeouts.query = 0");
    EXPECT_EQ(said("SET query_timeout = 0.0"), "SET timeouts.query = 0");
    EXPECT_EQ(said("SET query_timeout = 5m"), "SET timeouts.query = 5m");
    EXPECT_EQ(said("SET query_timeout = nonsense"), "SET timeouts.query = nonsense");
    EXPECT_EQ(said("SET tcp_user_timeout = 5000"), "SET timeouts.tcp_user = 5000ms");
    EXPECT_EQ(said("SET max_client_conn = 500"), "SET limits.client_connections = 500");
    EXPECT_EQ(said("SET log_connections = 0"), "SET log.connections = false");
    EXPECT_EQ(said("SET log_disconnections TO on"), "SET log.disconnections = true");
    EXPECT_EQ(said("SET verbose = 1"), "SET log.level = debug");
    EXPECT_EQ(said("SET verbose = 0"), "SET log.level = info");
}

TEST(Command, set_of_what_each_route_has_for_itself_says_where_it_is) {
    for (const char* text : {"set default_pool_size = 5", "SET Pool_Mode = session", "set server_lifetime = 60"}) {
        EXPECT_EQ(said(text), "0A000") << text;
    }
    const auto error = std::get<wire::SqlError>(parse("set default_pool_size = 5", Role::admin));
    EXPECT_NE(error.hint.find("'routes[N].pool.size'"), std::string::npos) << error.hint;
}

// Every command with both roles: what is added and not named here is an administrator's.
TEST(Command, is_allowed_to_the_roles_that_the_table_says) {
    const std::vector<std::string> both{
        "show pools",         "show clients", "show servers",   "show databases", "show users",
        "show stats",         "show totals",  "show lists",     "show config",    "show state",
        "show version",       "show sockets", "show mem",       "show peers",     "show routes",
        "show pins",          "show queries", "show dns_hosts", "show help",      "show timezone",
        "select version",     "begin",        "commit",         "rollback",       "",
        "set datestyle = iso"};
    const std::vector<std::string> administrators{"reload",
                                                  "reconnect",
                                                  "reconnect app",
                                                  "pause",
                                                  "pause app",
                                                  "resume",
                                                  "kill",
                                                  "kill app",
                                                  "disable app",
                                                  "enable app",
                                                  "wait_close",
                                                  "kill_client 1",
                                                  "suspend",
                                                  "show fds",
                                                  "shutdown",
                                                  "shutdown wait_for_servers",
                                                  "shutdown wait_for_clients",
                                                  "set limits.login_timeout = 10s",
                                                  "set query_timeout = 10",
                                                  "set default_pool_size = 10",
                                                  "set nonsense = 10"};
    for (const std::string& text : both) {
        for (const Role role : {Role::stats, Role::admin}) {
            EXPECT_TRUE(std::holds_alternative<Command>(parse(text, role))) << text;
        }
    }
    for (const std::string& text : administrators) {
        EXPECT_EQ(said(text, Role::stats), "42501") << text;
        EXPECT_NE(said(text, Role::admin), "42501") << text;
    }
}

// --- What of it the log has

class LoggedArgument : public testing::Test {
  protected:
    LoggedArgument() { route("orders", "backend"); }
    void route(const std::string& of_clients, const std::string& of_servers) {
        config.routes.assign(1, {});
        config.routes[0].match.databases = {of_clients};
        config.routes[0].database = of_servers;
    }
    std::string logged(ByteView text) {
        const auto parsed = parse(text, Role::admin);
        return understood_argument(std::get<Command>(parsed), scene);
    }

    View view;
    config::Config config;
    Scene scene{view, config, "0.1.0"};
};

TEST_F(LoggedArgument, is_what_was_understood) {
    EXPECT_EQ(logged("kill_client 0017"), "17");
    EXPECT_EQ(logged("pause orders"), "orders");
    EXPECT_EQ(logged("reconnect backend"), "backend");
    EXPECT_EQ(logged("disable orders"), "orders");
    EXPECT_EQ(logged("shutdown wait_for_servers"), "wait_for_servers");
    EXPECT_EQ(logged("set limits.login_timeout = 10s"), "limits.login_timeout");
    EXPECT_EQ(logged("set 'routes[0].pool.size' = 10"), "routes[0].pool.size");
    EXPECT_EQ(logged("reload"), "");
}

TEST_F(LoggedArgument, may_be_held_and_known_to_no_route_any_more) {
    scene.disabled = {"gone"};
    scene.paused = {"away"};
    EXPECT_EQ(logged("enable gone"), "gone");
    EXPECT_EQ(logged("resume away"), "away");
    EXPECT_EQ(logged("enable away"), "");
    EXPECT_EQ(logged("resume gone"), "");
}

TEST_F(LoggedArgument, is_empty_where_it_was_not_understood) {
    for (const char* text :
         {"kill_client s3cret", "kill_client 17x", "kill_client -1", "kill_client 99999999999999999999", "pause s3cret",
          "disable s3cret", "disable backend", "shutdown s3cret", "set s3cret = 1", "set 'routes[7].pool.size' = 1"})
        EXPECT_EQ(logged(text), "") << text;
}

TEST_F(LoggedArgument, under_a_route_for_all_names_is_one_to_which_something_is_done) {
    route("*", "");
    for (const char* text : {"pause any", "kill any", "disable any"}) EXPECT_EQ(logged(text), "any") << text;
    for (const char* text : {"resume s3cret", "reconnect s3cret", "wait_close s3cret", "enable s3cret"})
        EXPECT_EQ(logged(text), "") << text;
    EXPECT_EQ(logged("pause " + std::string(64, 'x')), "") << "longer than any database's name";
    view.clients.emplace_back().pool.database = "used";
    for (const char* text : {"reconnect used", "wait_close used", "resume used"}) EXPECT_EQ(logged(text), "used");
}

TEST_F(LoggedArgument, under_a_route_for_all_names_to_one_database_is_that_database) {
    route("*", "backend");
    EXPECT_EQ(logged("pause backend"), "backend");
    EXPECT_EQ(logged("pause s3cret"), "") << "refused, since no server would hear the name";
}

}  // namespace
}  // namespace pgsluice::admin
