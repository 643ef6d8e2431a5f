// The end of a login: what a client is greeted with, whether a server must be asked first, and what it refuses.
#include <gtest/gtest.h>
#include <support/script.hpp>

namespace pgsluice::session {
namespace {

using metrics::Disconnect;
using metrics::ServerClose;
using metrics::ServerState;
using test::describe;
using test::describe_client;
using test::Script;
using test::World;
namespace client = test::client;
namespace server = test::server;

std::string greeting(const std::string& application = "", const std::string& date_style = "ISO, MDY",
                     const std::string& process_id = "7") {
    return "Authentication 0\nParameterStatus \"server_version\" \"15.14\"\nParameterStatus \"client_encoding\" "
           "\"UTF8\"\nParameterStatus \"DateStyle\" \"" +
           date_style + "\"\nParameterStatus \"TimeZone\" \"UTC\"\nParameterStatus \"application_name\" \"" +
           application + "\"\nParameterStatus \"in_hot_standby\" \"off\"\nBackendKeyData " + process_id +
           " \"abcd\"\nReadyForQuery I\n";
}
std::string set(const std::string& name, const std::string& value) {
    return "Bind \"\" \"pgsluice_set\" \"" + name + "\" \"" + value + "\"\nExecute \"\" 0\n";
}
const std::string parse_set = "Parse \"pgsluice_set\" \"select where pg_catalog.set_config($1, $2, false) is null\"\n";

Bytes has_set(std::string_view value, ByteView reports = {}) {
    return server::parse_complete() + server::bind_complete() + server::row({value}) +
           server::command_complete("SELECT 1") + Bytes(reports) + server::ready();
}
std::string seen_by(World& world, std::size_t who) {
    return describe(world.client(who).peer.take());
}

// The first login of a pool is answered by a server that is dialed for it.
class FirstLogin : public testing::Test {
  protected:
    static World::Options undialed() {
        World::Options options;
        options.answers_dials = false;
        return options;
    }
    void open() {
        world.pools().open();
        world.settle();
    }

    World world{undialed()};
};

TEST_F(FirstLogin, waits_for_a_server_without_a_word) {
    world.add_client();
    EXPECT_EQ(seen_by(world, 0), "");
    EXPECT_EQ(world.session(0).state(), metrics::ClientState::waiting);
    open();
    EXPECT_EQ(seen_by(world, 0), greeting());
    EXPECT_TRUE(world.client(0).logged_in);
    EXPECT_EQ(world.pools().gauge(ServerState::idle), 1);
}

TEST_F(FirstLogin, reads_nothing_of_the_client_before_it_is_over) {
    world.add_client();
    world.client_sends(0, client::query("select 1"));
    EXPECT_EQ(world.client(0).peer.unread(), client::query("select 1"));
    open();
    EXPECT_EQ(describe_client(world.server(0).take()), "Query \"select 1\"\n");
}

TEST_F(FirstLogin, ends_in_one_error_where_no_server_can_be_had) {
    world.add_client();
    world.pools().refuse(wire::fatal("08006", "no such host"));
    EXPECT_EQ(seen_by(world, 0), "ErrorResponse FATAL 08006 \"no such host\" R=\"pgsluice\"\n");
    EXPECT_FALSE(world.client(0).logged_in);
    EXPECT_EQ(world.client(0).ended, Disconnect::failed);
}

TEST_F(FirstLogin, ends_when_no_server_is_there_in_time) {
    world.add_client();
    world.advance(std::chrono::seconds(30));
    const std::string told = seen_by(world, 0);
    EXPECT_TRUE(told.starts_with("ErrorResponse FATAL 53300 ")) << told;
    EXPECT_EQ(told.find("NoticeResponse"), std::string::npos);
}

TEST_F(FirstLogin, leaves_the_server_to_others_where_its_client_goes) {
    world.add_client();
    world.client_leaves(0);
    open();
    EXPECT_EQ(world.pools().gauge(ServerState::idle), 1);
}

TEST(Login, needs_no_server_where_nothing_new_is_asked) {
    Script script;
    script.client_sends(client::query("begin"))
        .server_sends(server::command_complete("BEGIN") + server::ready('T'))
        .then([](World& world) { world.add_client(); })
        .expect_to_client(1, greeting());
    script.run();
}

TEST(Login, counts_its_greeting_for_the_client_and_for_the_route) {
    World world;
    world.add_client();
    const std::size_t told = world.client(0).peer.take().size();
    EXPECT_GT(told, 0U);
    EXPECT_EQ(world.session(0).totals().bytes_out, told);
    EXPECT_EQ(world.metrics(0).bytes[metrics::Direction::client_out].value(), told);
}

TEST(Login, ends_where_a_server_does_not_say_in_time_whether_it_accepts_a_setting) {
    World::Options options;
    options.pool.query_wait_timeout = std::chrono::seconds(5);
    World world(options);
    world.add_client({{"application_name", "psql"}});
    world.advance(std::chrono::milliseconds(4999));
    EXPECT_FALSE(world.client(0).ended);
    world.advance(std::chrono::milliseconds(1));
    EXPECT_EQ(world.client(0).ended, Disconnect::server_lost);
    const std::string told = seen_by(world, 0);
    EXPECT_TRUE(told.starts_with("ErrorResponse FATAL 08006 \"the server does not answer\"")) << told;
    EXPECT_FALSE(world.server(0).is_open());
}

TEST(Login, asks_a_server_for_a_setting_once) {
    const wire::Setting wanted{"application_name", "psql"};
    Script script;
    script.add_client({wanted})
        .expect_to_server(parse_set + set("application_name", "psql") + "Sync\n")
        .expect_to_client(1, "")
        .server_sends(has_set("psql", server::parameter_status("application_name", "psql")))
        .expect_to_client(1, greeting("psql"))
        .client_sends(1, client::query("begin"))
        .expect_to_server("Query \"begin\"\n")
        .server_sends(server::command_complete("BEGIN") + server::ready('T'))
        .add_client({wanted})
        .expect_to_client(2, greeting("psql"));
    script.run();
}

TEST(Login, greets_with_the_value_as_the_server_spells_it) {
    const Bytes reports = server::parameter_status("DateStyle", "German, DMY");
    Script script;
    script.add_client({{"datestyle", "german,dmy"}})
        .expect_to_server(parse_set + set("DateStyle", "german,dmy") + "Sync\n")
        .server_sends(has_set("German, DMY", reports))
        .expect_to_client(1, greeting("", "German, DMY"))
        .add_client({{"datestyle", "german,dmy"}})
        .expect_to_client(2, greeting("", "German, DMY"));
    // Nothing is to be changed for the second of them, and for a third only what is new.
    script.exchange(2, 0, "select 1")
        .add_client({{"datestyle", "german,dmy"}, {"search_path", "app"}})
        .expect_to_server(set("search_path", "app") + "Sync\n");
    script.run();
}

TEST(Login, carries_no_setting_that_the_server_did_not_report_at_its_own) {
    Script script;
    script.exchange(0, 0, "select 1")
        .client_sends(client::query("set made_up = x"))
        .expect_to_server("Query \"set made_up = x\"\n")
        .server_sends(server::command_complete("SET") + server::parameter_status("made_up", "x") + server::ready())
        .expect_to_client("CommandComplete \"SET\"\nParameterStatus \"made_up\" \"x\"\nReadyForQuery I\n")
        .add_client();
    // Nothing is to be undone for another client.
    script.exchange(1, 0, "select 2");
    script.run();
}

TEST(Login, shows_no_setting_that_servers_do_not_report) {
    Script script;
    script.add_client({{"search_path", "app"}})
        .expect_to_server(parse_set + set("search_path", "app") + "Sync\n")
        .server_sends(has_set("app"))
        .expect_to_client(1, greeting())
        // The client that never asked for it gets a server without it.
        .client_sends(client::query("select 1"))
        .expect_to_server(
            "Close S \"pgsluice_reset\"\nParse \"pgsluice_reset\" \"reset \"search_path\"\"\nBind \"\" "
            "\"pgsluice_reset\"\nExecute \"\" 0\nSync\n")
        .server_sends(server::close_complete() + server::parse_complete() + server::bind_complete() +
                      server::command_complete("RESET") + server::ready())
        .expect_to_server("Query \"select 1\"\n");
    script.run();
}

TEST(Login, passes_on_nothing_that_the_server_says_meanwhile) {
    Script script;
    script.add_client({{"search_path", "app"}})
        .server_sends(server::notice("hello") + server::notification(1, "channel") + has_set("app"))
        .expect_to_client(1, greeting());
    script.run();
}

TEST(Login, ends_with_the_servers_own_words_where_it_refuses_a_setting) {
    Script script;
    script.add_client({{"work_mem", "much"}})
        .expect_to_server(parse_set + set("work_mem", "much") + "Sync\n")
        .server_sends(server::parse_complete() + server::bind_complete() +
                      server::error("22023", "invalid value for parameter"))
        .expect_to_client(1, "ErrorResponse FATAL 22023 \"invalid value for parameter\" R=\"pgsluice\"\n")
        .expect([](World& world) {
            EXPECT_EQ(world.client(1).ended, Disconnect::failed);
            EXPECT_FALSE(world.client(1).logged_in);
            EXPECT_TRUE(world.server(0).is_open());
        })
        .server_sends(server::ready())
        .exchange(0, 0, "select 1")
        // It has not been accepted: the next one asks again.
        .add_client({{"work_mem", "much"}})
        .expect_to_server(set("work_mem", "much") + "Sync\n");
    script.run();
}

TEST(Login, ends_with_the_server_that_it_asks) {
    struct Case {
        Bytes says;
        std::string told;
    };
    const Case cases[] = {
        {"",
         "08006 \"server closed the connection unexpectedly\" D=\"The server db:5432 ended the connection without a "
         "message while this client was using it.\""},
        {server::fatal("57P01", "shutting down"), "57P01 \"shutting down\""},
        {server::bind_complete(),
         "08006 \"lost synchronization with the server\" D=\"The server sent a message that "
         "answers nothing it was asked.\""},
    };
    for (const auto& [says, told] : cases) {
        Script script;
        script.add_client({{"search_path", "app"}})
            .server_sends(says)
            .server_leaves()
            .expect_to_client(1, "ErrorResponse FATAL " + told + " R=\"pgsluice\"\n")
            .expect([](World& world) { EXPECT_FALSE(world.client(1).logged_in); })
            .client_sends(client::query("select 1"))
            .expect_to_server(1, "Query \"select 1\"\n");
        script.run();
    }
}

TEST(Login, costs_its_server_where_the_client_goes_in_the_middle_of_it) {
    Script script;
    script.add_client({{"search_path", "app"}}).client_leaves(1).expect([](World& world) {
        EXPECT_EQ(world.server(0).closed_for, ServerClose::unclean);
    });
    script.run();
}

// --- Session mode

class SessionMode : public testing::Test {
  protected:
    static World::Options options() {
        World::Options made;
        made.pool.mode = config::PoolMode::session;
        return made;
    }

    World world{options()};
};

TEST_F(SessionMode, shows_the_servers_own_process_id_and_keeps_the_server) {
    world.add_client();
    EXPECT_EQ(seen_by(world, 0), greeting("", "ISO, MDY", "1000"));
    world.client_sends(0, client::query("select 1"));
    world.server_sends(0, server::command_complete("SELECT 1") + server::ready());
    EXPECT_EQ(world.pools().gauge(ServerState::active), 1);
}

TEST_F(SessionMode, has_every_login_wait_for_a_server_of_its_own) {
    world.add_client();
    world.add_client();
    EXPECT_EQ(seen_by(world, 1), "");
    world.client_sends(0, client::terminate());
    EXPECT_EQ(describe_client(world.server(0).take()), "Query \"DISCARD ALL\"\n");
    EXPECT_EQ(seen_by(world, 1), "");
    world.server_sends(0, server::command_complete("DISCARD ALL") + server::ready());
    EXPECT_EQ(seen_by(world, 1), greeting("", "ISO, MDY", "1000"));
}

TEST_F(SessionMode, passes_statements_on_by_the_clients_own_names) {
    world.add_client();
    world.client_sends(0, client::parse("s", "select 1") + client::bind("", "s") + client::close_statement("s"));
    EXPECT_EQ(describe_client(world.server(0).take()), "Parse \"s\" \"select 1\"\nBind \"\" \"s\"\nClose S \"s\"\n");
}

}  // namespace
}  // namespace pgsluice::session
