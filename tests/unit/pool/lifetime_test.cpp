// When a server that nothing is wrong with is closed: its age, its idle time, a reload, its role, a sibling's need.
#include <gtest/gtest.h>
#include <support/pool_rig.hpp>

namespace pgsluice::pool {
namespace {

using config::TargetSessionAttrs;
using metrics::ServerClose;
using test::PoolClient;
using test::PoolRig;
using Closes = std::vector<ServerClose>;
namespace server = test::server;

TEST(Lifetime, ends_an_idle_server_within_a_tenth_of_it) {
    for (const auto& [random, ends_at] : {std::pair{0, 900}, std::pair{100, 1000}, std::pair{200, 1100}}) {
        PoolRig rig(config::Pool{.size = 1, .lifetime = Milliseconds(1000)});
        rig.host().next_random = static_cast<std::uint64_t>(random);
        rig.holder().give_back();
        rig.advance(Milliseconds(ends_at - 1));
        EXPECT_EQ(rig.host().closes, Closes{});
        rig.advance(Milliseconds(1));
        EXPECT_EQ(rig.host().closes, Closes{ServerClose::lifetime});
    }
}

TEST(Lifetime, ends_a_lent_server_when_it_comes_back) {
    PoolRig rig(config::Pool{.size = 1, .lifetime = Milliseconds(1000)});
    PoolClient& holder = rig.holder();
    rig.advance(Milliseconds(5000));
    EXPECT_EQ(rig.host().closes, Closes{});
    holder.give_back();
    EXPECT_EQ(rig.host().closes, Closes{ServerClose::lifetime});
    EXPECT_EQ(test::describe_client(rig.server(0).take()), "Terminate\n");
}

TEST(Lifetime, a_spent_server_is_never_lent) {
    PoolRig rig(config::Pool{.size = 1, .lifetime = Milliseconds(1000)});
    rig.holder().give_back();
    rig.clock().advance(Milliseconds(2000));
    EXPECT_TRUE(rig.asks().waits);
    EXPECT_EQ(rig.dials(), 1U);
}

TEST(Lifetime, of_none_never_ends) {
    PoolRig rig(config::Pool{.size = 1, .idle_timeout = Milliseconds(0), .lifetime = Milliseconds(0)});
    rig.holder().give_back();
    rig.advance(std::chrono::hours(10000));
    EXPECT_EQ(rig.idle(), 1);
}

TEST(IdleTimeout, closes_what_nobody_needs_down_to_the_least_number) {
    PoolRig rig(config::Pool{.size = 3, .min_size = 1, .idle_timeout = Milliseconds(1000)});
    PoolClient& first = rig.holder();
    PoolClient& second = rig.holder();
    first.give_back();
    second.give_back();
    rig.advance(Milliseconds(999));
    EXPECT_EQ(rig.idle(), 2);
    rig.advance(Milliseconds(1));
    EXPECT_EQ(rig.host().closes, Closes{ServerClose::idle_timeout});
    EXPECT_FALSE(rig.server(0).is_open());
    rig.advance(Milliseconds(9000));
    EXPECT_EQ(rig.idle(), 1);
}

TEST(IdleTimeout, begins_anew_with_each_use) {
    PoolRig rig(config::Pool{.size = 1, .idle_timeout = Milliseconds(1000)});
    rig.holder().give_back();
    rig.advance(Milliseconds(900));
    rig.asks().give_back();
    rig.advance(Milliseconds(900));
    EXPECT_EQ(rig.idle(), 1);
}

// --- Reloads

TEST(Reload, that_changes_the_target_closes_idle_servers_at_once_and_lent_ones_later) {
    PoolRig rig(config::Pool{.size = 2});
    PoolClient& holder = rig.holder();
    rig.holder().give_back();
    rig.pool().reconfigure(rig.target(2));
    EXPECT_EQ(rig.host().closes, Closes{ServerClose::configuration});
    EXPECT_EQ(rig.share().login_answers().greeting(2), nullptr);
    holder.give_back();
    EXPECT_EQ(rig.host().closes, (Closes{ServerClose::configuration, ServerClose::configuration}));
    EXPECT_EQ(rig.permits().open(), 0U);
}

TEST(Reload, that_leaves_the_target_as_it_is_closes_nothing) {
    PoolRig rig;
    rig.holder().give_back();
    rig.pool().reconfigure(rig.target(1));
    EXPECT_EQ(rig.idle(), 1);
    EXPECT_NE(rig.share().login_answers().greeting(1), nullptr);
}

TEST(Reload, a_connection_that_was_being_made_for_the_older_target_is_not_used) {
    PoolRig rig;
    PoolClient& waiter = rig.asks();
    auto newer = rig.target(2);
    rig.host().open_for = 1;
    rig.pool().reconfigure(newer);
    rig.host().open();
    EXPECT_TRUE(waiter.waits);
    rig.host().open_for.reset();
    ASSERT_EQ(rig.dials(), 1U);
    rig.host().open();
    EXPECT_NE(waiter.server, nullptr);
}

TEST(Reload, that_makes_a_pool_smaller_closes_the_surplus) {
    PoolRig rig(config::Pool{.size = 3});
    PoolClient& first = rig.holder();
    rig.holder().give_back();
    auto smaller = rig.target(1);
    smaller->settings.size = 1;
    rig.pool().reconfigure(smaller);
    rig.advance(Milliseconds(1));
    EXPECT_EQ(rig.permits().open(), 1U);
    first.give_back();
    EXPECT_EQ(rig.permits().open(), 1U);
    EXPECT_EQ(rig.idle(), 1);
}

TEST(Reload, that_makes_a_pool_larger_is_used_by_who_waits) {
    PoolRig rig;
    rig.holder();
    PoolClient& waiter = rig.asks();
    auto larger = rig.target(1);
    larger->settings.size = 2;
    rig.pool().reconfigure(larger);
    rig.advance(Milliseconds(1));
    ASSERT_EQ(rig.dials(), 1U);
    rig.host().open();
    EXPECT_NE(waiter.server, nullptr);
}

// --- A server that is not what it was taken for

TEST(Doom, closes_a_server_for_the_reason_given) {
    PoolRig rig;
    PoolClient& holder = rig.holder();
    holder.server->doom(ServerClose::server_shutdown);
    holder.give_back();
    EXPECT_EQ(rig.host().closes, Closes{ServerClose::server_shutdown});
}

TEST(Doom, of_the_servers_at_one_place_spares_the_others) {
    PoolRig rig(config::Pool{.size = 3});
    PoolClient& holder = rig.holder();
    PoolClient& idler = rig.holder();
    rig.host().upstream = std::make_shared<Upstream>();
    PoolClient& elsewhere = rig.holder();
    rig.host().upstream = nullptr;
    idler.give_back();
    elsewhere.give_back();
    rig.pool().retire_servers_of(rig.upstream(), ServerClose::server_shutdown);
    EXPECT_EQ(rig.host().closes, Closes{ServerClose::server_shutdown});
    holder.give_back();
    EXPECT_EQ(rig.host().closes, (Closes{ServerClose::server_shutdown, ServerClose::server_shutdown}));
    EXPECT_EQ(rig.idle(), 1);
}

// Either of the two keeps writes away.
TEST(Role, a_server_that_is_to_be_read_only_is_closed_when_it_may_be_written_to) {
    struct Case {
        const char *in_hot_standby, *read_only, *changed;
        bool is_wrong;
    };
    constexpr const char* setting = "default_transaction_read_only";
    const Case cases[] = {
        {"on", "off", "in_hot_standby", true},
        {"on", "on", "in_hot_standby", false},
        {"off", "on", setting, true},
        {"on", "on", setting, false},
    };
    for (const auto& [in_hot_standby, read_only, changed, is_wrong] : cases) {
        SCOPED_TRACE(std::string(in_hot_standby) + ' ' + read_only + ' ' + changed);
        PoolRig rig({.pool = {.size = 1}, .session_attrs = TargetSessionAttrs::read_only});
        rig.host().reported = {{"in_hot_standby", in_hot_standby}, {setting, read_only}};
        rig.holder().give_back();
        rig.server(0).peer.receive(server::parameter_status(changed, "off"));
        EXPECT_EQ(rig.host().closes, Closes{});
        EXPECT_EQ(rig.asks().server == nullptr, is_wrong);
        EXPECT_EQ(rig.host().closes, is_wrong ? Closes{ServerClose::wrong_role} : Closes{});
    }
}

TEST(Role, a_primary_that_had_to_do_for_a_standby_stays) {
    PoolRig rig({.pool = {.size = 1}, .session_attrs = TargetSessionAttrs::prefer_standby});
    rig.host().reported = {{"in_hot_standby", "off"}, {"default_transaction_read_only", "off"}};
    rig.holder().give_back();
    rig.server(0).peer.receive(server::parameter_status("default_transaction_read_only", "on"));
    EXPECT_NE(rig.asks().server, nullptr);
}

TEST(Role, a_server_that_turns_out_to_have_another_is_closed) {
    struct Case {
        TargetSessionAttrs wanted;
        const char* setting;
        const char* value;
        bool is_wrong;
    };
    constexpr const char* read_only = "default_transaction_read_only";
    const Case cases[] = {
        {TargetSessionAttrs::any, "in_hot_standby", "on", false},
        {TargetSessionAttrs::primary, "in_hot_standby", "on", true},
        {TargetSessionAttrs::primary, "in_hot_standby", "off", false},
        {TargetSessionAttrs::primary, read_only, "on", false},
        {TargetSessionAttrs::read_write, "in_hot_standby", "on", true},
        {TargetSessionAttrs::read_write, read_only, "on", true},
        {TargetSessionAttrs::read_write, read_only, "off", false},
        {TargetSessionAttrs::standby, "in_hot_standby", "off", true},
        {TargetSessionAttrs::standby, "in_hot_standby", "on", false},
        {TargetSessionAttrs::prefer_standby, "in_hot_standby", "off", true},
        {TargetSessionAttrs::read_only, "in_hot_standby", "off", false},
    };
    for (const auto& [wanted, setting, value, is_wrong] : cases) {
        SCOPED_TRACE(std::to_string(static_cast<int>(wanted)) + ' ' + setting + ' ' + value);
        PoolRig rig({.pool = {.size = 1}, .session_attrs = wanted});
        rig.host().reported.clear();
        rig.holder().give_back();
        rig.server(0).peer.receive(server::parameter_status(setting, value));
        EXPECT_EQ(rig.asks().server == nullptr, is_wrong);
        EXPECT_EQ(rig.host().closes, is_wrong ? Closes{ServerClose::wrong_role} : Closes{});
    }
}

// --- A sibling pool needs the room

TEST(Evict, closes_the_server_that_has_been_idle_longest) {
    PoolRig rig(config::Pool{.size = 2});
    PoolClient& first = rig.holder();
    PoolClient& second = rig.holder();
    second.give_back();
    const TimePoint since = rig.clock().now();
    rig.clock().advance(Milliseconds(10));
    first.give_back();
    EXPECT_EQ(rig.pool().oldest_idle({rig.upstream_ref(), nullptr, nullptr}), since);
    EXPECT_TRUE(rig.pool().evict_idle({rig.upstream_ref(), nullptr, nullptr}));
    EXPECT_FALSE(rig.server(1).is_open());
    EXPECT_EQ(rig.host().closes, Closes{ServerClose::evicted});
}

TEST(Evict, finds_nothing_where_no_server_is_idle_there) {
    PoolRig rig;
    const Eviction elsewhere{std::make_shared<Upstream>(), nullptr, nullptr};
    rig.holder().give_back();
    EXPECT_EQ(rig.pool().oldest_idle(elsewhere), never);
    EXPECT_FALSE(rig.pool().evict_idle(elsewhere));
    rig.asks();
    EXPECT_FALSE(rig.pool().evict_idle({rig.upstream_ref(), nullptr, nullptr}));
}

}  // namespace
}  // namespace pgsluice::pool
