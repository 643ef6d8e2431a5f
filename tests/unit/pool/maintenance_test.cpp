// What a pool says to its servers itself: the check of one that was idle long, the reset of a session.
#include <gtest/gtest.h>
#include <support/pool_rig.hpp>
#include <support/splits.hpp>

namespace pgsluice::pool {
namespace {

using metrics::ServerClose;
using metrics::ServerState;
using test::PoolClient;
using test::PoolRig;
using Closes = std::vector<ServerClose>;
namespace server = test::server;

constexpr const char* asked_whether_alive = "Query \"\"\n";
constexpr const char* asked_to_discard = "Query \"DISCARD ALL\"\n";

// --- The check

struct Checking {
    PoolRig rig;
    PoolClient* client = nullptr;

    Checking() : rig(config::Pool{.size = 1, .check_after_idle = Milliseconds(1000)}) {
        rig.holder().give_back();
        rig.clock().advance(Milliseconds(1000));
        client = &rig.asks();
    }
};

TEST(Check, asks_a_server_that_was_idle_long_before_it_is_lent) {
    Checking checking;
    EXPECT_TRUE(checking.client->waits);
    EXPECT_EQ(test::describe_client(checking.rig.server(0).take()), asked_whether_alive);
    EXPECT_EQ(checking.rig.host().gauge(ServerState::checking), 1);
    checking.rig.server(0).peer.receive(server::empty_query() + server::ready());
    EXPECT_NE(checking.client->server, nullptr);
    EXPECT_TRUE(checking.client->heard.empty());
}

TEST(Check, asks_one_server_for_one_client) {
    PoolRig rig(config::Pool{.size = 3, .check_after_idle = Milliseconds(1000)});
    PoolClient& first = rig.holder();
    PoolClient& second = rig.holder();
    first.give_back();
    second.give_back();
    rig.advance(Milliseconds(1000));
    EXPECT_TRUE(rig.asks().waits);
    EXPECT_EQ(rig.host().gauge(ServerState::checking), 1);
    EXPECT_EQ(rig.idle(), 1);
    EXPECT_EQ(rig.dials(), 0U);
    EXPECT_TRUE(rig.asks().waits);
    EXPECT_EQ(rig.host().gauge(ServerState::checking), 2);
    EXPECT_EQ(rig.dials(), 0U);
}

TEST(Check, is_not_made_after_a_short_rest) {
    PoolRig rig(config::Pool{.size = 1, .check_after_idle = Milliseconds(1000)});
    rig.holder().give_back();
    rig.clock().advance(Milliseconds(999));
    EXPECT_NE(rig.asks().server, nullptr);
}

TEST(Check, finds_a_server_dead_and_another_is_opened) {
    Checking checking;
    checking.rig.server(0).peer.lose();
    EXPECT_EQ(checking.rig.host().closes, Closes{ServerClose::lost});
    checking.rig.host().open();
    EXPECT_NE(checking.client->server, nullptr);
}

TEST(Check, gives_a_server_that_does_not_answer_five_seconds) {
    Checking checking;
    checking.rig.advance(Milliseconds(4999));
    EXPECT_EQ(checking.rig.host().closes, Closes{});
    checking.rig.advance(Milliseconds(1));
    EXPECT_EQ(checking.rig.host().closes, Closes{ServerClose::check_failed});
    EXPECT_EQ(checking.rig.dials(), 1U);
}

TEST(Check, refuses_what_is_no_answer_to_it) {
    const Bytes answers[] = {
        server::error("57P03", "no") + server::ready(),
        server::empty_query() + server::ready('T'),
        server::parse_complete(),
        server::empty_query() + server::ready() + server::row({"secret"}),
        server::empty_query() + server::ready() + Bytes("D"),
        server::with_length('D', 2),
        Bytes("HTTP/1.1 400 Bad Request"),
    };
    for (const Bytes& answer : answers) {
        SCOPED_TRACE(test::describe(answer));
        Checking checking;
        checking.rig.server(0).peer.receive(answer);
        EXPECT_FALSE(checking.rig.server(0).is_open());
        EXPECT_EQ(checking.client->server, nullptr);
    }
}

TEST(Check, hears_settings_and_notices_in_any_portions) {
    const Bytes answer = server::notice("n") + server::parameter_status("TimeZone", "Asia/Tokyo") +
                         server::notification(1, "c") + server::empty_query() + server::ready();
    for (const test::Portions& portions : test::every_split(answer)) {
        Checking checking;
        for (const ByteView portion : portions) checking.rig.server(0).peer.receive(portion);
        ASSERT_NE(checking.client->server, nullptr);
        EXPECT_EQ(checking.client->server->has()->find("TimeZone")->value, "Asia/Tokyo");
    }
}

// --- Session mode

struct Resetting {
    PoolRig rig;
    PoolClient& first;
    PoolClient& next;

    Resetting()
        : rig(config::Pool{.mode = config::PoolMode::session, .size = 1}), first(rig.holder()), next(rig.asks()) {
        first.server->statements().restore(rig.statements().intern("select 1", ""));
        first.server->unnamed() = rig.statements().intern("select 2", "");
        first.server->reserved().set_config = true;
        first.give_back();
    }
};

TEST(Reset, stands_between_two_clients_of_session_mode) {
    Resetting resetting;
    EXPECT_TRUE(resetting.next.waits);
    EXPECT_EQ(test::describe_client(resetting.rig.server(0).take()), asked_to_discard);
    resetting.rig.server(0).peer.receive(server::command_complete("DISCARD ALL") + server::ready());
    ASSERT_NE(resetting.next.server, nullptr);
    EXPECT_EQ(resetting.next.server->statements().size(), 0U);
    EXPECT_EQ(resetting.next.server->unnamed(), nullptr);
    EXPECT_FALSE(resetting.next.server->reserved().set_config);
    EXPECT_TRUE(resetting.next.heard.empty());
}

TEST(Reset, takes_away_the_names_that_a_client_has_lent_its_server) {
    PoolRig rig;
    PoolClient& holder = rig.holder();
    EXPECT_FALSE(holder.server->has_lent_names());
    holder.server->note_lent_name();
    holder.give_back();
    EXPECT_EQ(test::describe_client(rig.server(0).take()), asked_to_discard);
    holder.ask();
    rig.server(0).peer.receive(server::command_complete("DISCARD ALL") + server::ready());
    ASSERT_NE(holder.server, nullptr);
    EXPECT_FALSE(holder.server->has_lent_names());
    holder.give_back();
    EXPECT_EQ(rig.idle(), 1);
}

TEST(Reset, that_fails_ends_the_server) {
    const Bytes answers[] = {
        server::error("25001", "DISCARD ALL cannot run inside a transaction block") + server::ready(),
        server::command_complete("DISCARD ALL") + server::ready('T'),
        server::command_complete("DISCARD ALL") + server::ready() + server::ready(),
    };
    for (const Bytes& answer : answers) {
        Resetting resetting;
        resetting.rig.server(0).peer.receive(answer);
        EXPECT_FALSE(resetting.rig.server(0).is_open());
        EXPECT_EQ(resetting.rig.dials(), 1U);
    }
}

TEST(Reset, that_takes_too_long_ends_the_server) {
    Resetting resetting;
    resetting.rig.advance(Milliseconds(5000));
    EXPECT_EQ(resetting.rig.host().closes, Closes{ServerClose::reset_failed});
}

TEST(Reset, is_not_needed_by_a_server_that_is_to_be_closed) {
    PoolRig rig(config::Pool{.mode = config::PoolMode::session, .size = 1});
    PoolClient& holder = rig.holder();
    holder.server->doom(ServerClose::server_shutdown);
    holder.give_back();
    EXPECT_EQ(test::describe_client(rig.server(0).take()), "Terminate\n");
}

// A walsender knows no DISCARD ALL, and is nobody else's.
TEST(Reset, is_not_for_a_replication_connection) {
    PoolRig rig(
        PoolRig::Options{.pool = {.mode = config::PoolMode::session, .size = 1}, .startup = {{"replication", "true"}}});
    rig.holder().give_back();
    EXPECT_EQ(test::describe_client(rig.server(0).take()), "Terminate\n");
    EXPECT_EQ(rig.host().closes, Closes{ServerClose::replication});
    EXPECT_EQ(rig.asks().server, nullptr);
}

// --- A client's idle_session_timeout

struct Impatient {
    PoolRig rig;
    PoolClient& holder = rig.holder();

    void gives_back(ByteView value) {
        const auto& has = holder.server->has();
        holder.server->set_has(rig.host().parameters().with(has, "idle_session_timeout", value, false));
        holder.give_back();
    }
};

TEST(IdleTimeout, of_a_client_is_taken_off_before_anybody_else_has_the_server) {
    Impatient impatient;
    impatient.gives_back("30");
    EXPECT_EQ(test::describe_client(impatient.rig.server(0).take()),
              "Close S \"pgsluice_reset\"\nParse \"pgsluice_reset\" \"reset \"idle_session_timeout\"\"\n"
              "Bind \"\" \"pgsluice_reset\"\nExecute \"\" 0\nSync\n");
    EXPECT_EQ(impatient.rig.idle(), 0);
    impatient.rig.server(0).peer.receive(server::close_complete() + server::parse_complete() + server::bind_complete() +
                                         server::command_complete("RESET") + server::ready());
    EXPECT_EQ(impatient.rig.idle(), 1);
    PoolClient& next = impatient.rig.asks();
    ASSERT_NE(next.server, nullptr);
    EXPECT_EQ(next.server->has()->find("idle_session_timeout"), nullptr);
}

TEST(IdleTimeout, that_is_off_stays) {
    Impatient impatient;
    impatient.gives_back("0");
    EXPECT_EQ(impatient.rig.idle(), 1);
}

TEST(IdleTimeout, that_cannot_be_taken_off_ends_the_server) {
    Impatient impatient;
    impatient.gives_back("30");
    impatient.rig.server(0).peer.receive(server::close_complete() + server::error("XX000", "no") + server::ready());
    EXPECT_EQ(impatient.rig.host().closes, Closes{ServerClose::reset_failed});
}

// --- What a server tells of its own configuration

TEST(Default, that_an_idle_server_tells_is_that_of_those_who_log_in_next) {
    PoolRig rig;
    PoolClient& holder = rig.holder();
    const std::uint64_t fingerprint = rig.pool().target().fingerprint;
    holder.give_back();
    rig.server(0).peer.receive(server::parameter_status("TimeZone", "Asia/Tokyo"));
    EXPECT_EQ(rig.share().login_answers().greeting(fingerprint)->baseline->find("TimeZone")->value, "Asia/Tokyo");
}

TEST(Default, is_not_what_is_told_behind_a_client_that_has_left) {
    PoolRig rig;
    PoolClient& holder = rig.holder();
    const std::uint64_t fingerprint = rig.pool().target().fingerprint;
    holder.server->exchange().owe({protocol::Asked::query, protocol::Fate::forward});
    rig.pool().recover(*std::exchange(holder.server, nullptr), 0);
    rig.server(0).peer.receive(server::command_complete("SET") + server::parameter_status("TimeZone", "Asia/Tokyo") +
                               server::ready());
    EXPECT_EQ(rig.share().login_answers().greeting(fingerprint)->baseline->find("TimeZone")->value, "UTC");
}

std::string told_of(const std::vector<wire::Setting>& reported, ByteView name) {
    for (const wire::Setting& each : reported) {
        if (each.first == name) return each.second;
    }
    return "nothing";
}

TEST(Promotion, that_an_idle_server_tells_is_told_to_those_who_log_in_next) {
    PoolRig rig;
    rig.host().reported = {{"TimeZone", "UTC"}, {"in_hot_standby", "on"}};
    PoolClient& holder = rig.holder();
    const std::uint64_t fingerprint = rig.pool().target().fingerprint;
    pool::Server& promoted = *holder.server;
    holder.give_back();
    const auto told = [&] {
        return told_of(rig.share().login_answers().greeting(fingerprint)->reported, standby_setting);
    };
    EXPECT_EQ(told(), "on");
    rig.server(0).peer.receive(server::parameter_status("in_hot_standby", "off"));
    EXPECT_EQ(told(), "off");
    EXPECT_EQ(told_of(promoted.facts().reported, standby_setting), "off");
}

// What a client's SET changes.
TEST(Promotion, is_the_only_thing_that_changes_what_logins_are_told_of_a_server) {
    PoolRig rig;
    rig.host().reported = {{"is_superuser", "off"}, {"session_authorization", "off"}};
    PoolClient& holder = rig.holder();
    const std::uint64_t fingerprint = rig.pool().target().fingerprint;
    pool::Server& server = *holder.server;
    for (const char* name : {"is_superuser", "session_authorization"}) {
        const Bytes report = server::parameter_status(name, "on");
        EXPECT_TRUE(rig.pool().hear_report(server, ByteView(report).substr(5), SetBy::client));
        EXPECT_EQ(told_of(server.facts().reported, name), "off");
        EXPECT_EQ(told_of(rig.share().login_answers().greeting(fingerprint)->reported, name), "off");
    }
    holder.give_back();
}

// --- Idle servers

TEST(Idle, may_report_settings_and_say_notices) {
    const Bytes unasked = server::parameter_status("TimeZone", "Asia/Tokyo") + server::notice("reloading") +
                          server::notification(9, "channel");
    for (const test::Portions& portions : test::every_split(unasked)) {
        PoolRig rig;
        rig.holder().give_back();
        for (const ByteView portion : portions) rig.server(0).peer.receive(portion);
        PoolClient& next = rig.asks();
        ASSERT_NE(next.server, nullptr);
        EXPECT_EQ(next.server->has()->find("TimeZone")->value, "Asia/Tokyo");
        EXPECT_TRUE(next.heard.empty());
    }
}

TEST(Idle, makes_no_setting_up) {
    PoolRig rig;
    rig.holder().give_back();
    rig.server(0).peer.receive(server::parameter_status("made_up", "x"));
    PoolClient& next = rig.asks();
    ASSERT_NE(next.server, nullptr);
    EXPECT_EQ(next.server->has(), next.server->facts().baseline);
}

// PostgreSQL reports a setting once, and briefly.
TEST(Idle, may_not_change_its_settings_without_end) {
    const auto closes = [](int changes, std::size_t bytes) {
        PoolRig rig;
        rig.holder().give_back();
        Bytes reports;
        for (int i = 0; i < changes; ++i)
            reports += server::parameter_status("TimeZone", std::string(bytes, i % 2 == 0 ? 'a' : 'b'));
        rig.server(0).peer.receive(reports);
        return rig.host().closes;
    };
    EXPECT_EQ(closes(100, 10), Closes{});
    EXPECT_EQ(closes(101, 10), Closes{ServerClose::lost});
    EXPECT_EQ(closes(1, 60000), Closes{});
    EXPECT_EQ(closes(1, 70000), Closes{ServerClose::lost});
}

TEST(Check, that_a_server_answers_with_settings_without_end_leaves_others_their_turn) {
    Checking checking;
    checking.rig.host().reading_takes = Milliseconds(1);
    Bytes reports;
    for (int i = 0; i < 800; ++i) reports += server::parameter_status("TimeZone", i % 2 == 0 ? "a" : "b");
    checking.rig.server(0).peer.receive(reports + server::empty_query() + server::ready());
    EXPECT_GT(checking.rig.server(0).peer.deliveries(), 50U);
    EXPECT_NE(checking.client->server, nullptr);
}

TEST(Idle, may_say_nothing_else) {
    const Bytes unasked[] = {
        server::fatal("57P01", "terminating connection"),
        server::ready(),
        server::row({"secret"}),
        server::with_length('S', 3),
        server::message('S', "TimeZone"),
        server::with_length('N', 1000000),
        server::message('y', "?"),
    };
    for (const Bytes& bytes : unasked) {
        SCOPED_TRACE(test::describe(bytes));
        PoolRig rig;
        rig.holder().give_back();
        rig.server(0).peer.receive(bytes);
        EXPECT_EQ(rig.host().closes, Closes{ServerClose::lost});
        EXPECT_EQ(rig.permits().open(), 0U);
    }
}

TEST(Idle, that_dies_is_replaced_when_somebody_asks) {
    PoolRig rig;
    rig.holder().give_back();
    rig.server(0).peer.lose();
    EXPECT_EQ(rig.dials(), 0U);
    rig.asks();
    EXPECT_EQ(rig.dials(), 1U);
}

}  // namespace
}  // namespace pgsluice::pool
