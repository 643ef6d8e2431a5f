// Servers on which a client has made a setting of its own, whose name stays there: who is given them.
#include <gtest/gtest.h>
#include <support/pool_rig.hpp>

namespace pgsluice::pool {
namespace {

using config::CustomSettings;
using metrics::ServerClose;
using test::PoolClient;
using test::PoolRig;

config::Pool settings(CustomSettings custom, std::uint32_t size = 1) {
    config::Pool pool{.size = size};
    pool.custom_settings = custom;
    return pool;
}

protocol::ParameterSetRef with(const Server& server, std::initializer_list<const char*> names) {
    std::vector<protocol::Parameter> all = server.facts().baseline->all();
    for (const char* name : names) all.push_back({name, ""});
    return std::make_shared<const protocol::ParameterSet>(std::move(all));
}

// Its client has made them there.
Server& mark(PoolClient& client, std::initializer_list<const char*> names) {
    client.wants = with(*client.server, names);
    client.server->set_has(client.wants);
    return *client.server;
}

TEST(CustomSettings, are_found_by_anybody_where_servers_are_shared) {
    PoolRig rig(settings(CustomSettings::share));
    PoolClient& owner = rig.holder();
    const Server& server = mark(owner, {"app.tenant"});
    owner.give_back();
    EXPECT_EQ(rig.asks().server, &server);
}

TEST(CustomSettings, keep_their_server_for_those_who_have_set_all_of_them) {
    PoolRig rig(settings(CustomSettings::affinity));
    PoolClient& owner = rig.holder();
    const Server& server = mark(owner, {"app.tenant", "app.user"});
    const auto all = owner.wants, fewer = with(server, {"app.tenant"}),
               more = with(server, {"app.tenant", "app.user", "b.c"});
    owner.give_back();
    for (const auto& wants : {all, more}) {
        PoolClient& client = rig.client();
        client.wants = wants;
        client.ask();
        EXPECT_EQ(client.server, &server);
        client.give_back();
    }
    PoolClient& stranger = rig.client();
    stranger.wants = fewer;
    stranger.ask();
    EXPECT_TRUE(stranger.waits);
    EXPECT_EQ(rig.host().closes, std::vector{ServerClose::custom_settings});
    rig.host().open();
    EXPECT_NE(stranger.server, nullptr);
}

TEST(CustomSettings, let_strangers_have_another_server_where_there_is_room) {
    PoolRig rig(settings(CustomSettings::affinity, 2));
    PoolClient& owner = rig.holder();
    const Server& server = mark(owner, {"app.tenant"});
    owner.give_back();
    PoolClient& stranger = rig.holder();
    EXPECT_NE(stranger.server, &server);
    EXPECT_EQ(rig.host().closes, std::vector<ServerClose>{});
    stranger.give_back();
    // Each finds its own again, whoever used his last.
    owner.ask();
    EXPECT_EQ(owner.server, &server);
    stranger.ask();
    EXPECT_NE(stranger.server, nullptr);
}

TEST(CustomSettings, close_the_server_for_a_stranger_that_waits_in_front) {
    PoolRig rig(settings(CustomSettings::affinity));
    PoolClient& owner = rig.holder();
    mark(owner, {"app.tenant"});
    PoolClient& stranger = rig.asks();
    PoolClient& second = rig.client();
    second.wants = owner.wants;
    second.ask();
    owner.give_back();
    EXPECT_TRUE(stranger.waits && second.waits) << "first come, first served";
    rig.host().open();
    EXPECT_NE(stranger.server, nullptr);
    stranger.give_back();
    EXPECT_NE(second.server, nullptr);
}

TEST(CustomSettings, on_an_idle_server_serve_whoever_waits_behind_a_stranger) {
    PoolRig rig(settings(CustomSettings::affinity, 2));
    PoolClient& owner = rig.holder();
    mark(owner, {"app.tenant"});
    PoolClient& other = rig.holder();
    owner.give_back();
    PoolClient& stranger = rig.asks();  // for whom the marked one is closed
    rig.host().open();
    ASSERT_NE(stranger.server, nullptr);
    mark(stranger, {"app.tenant"});
    PoolClient& third = rig.asks();
    PoolClient& fourth = rig.client();
    fourth.wants = stranger.wants;
    fourth.ask();
    other.give_back();
    EXPECT_NE(third.server, nullptr);
    stranger.give_back();
    EXPECT_NE(fourth.server, nullptr);
}

TEST(CustomSettings, close_a_server_that_comes_to_a_stranger_of_another_worker) {
    PoolRig rig(settings(CustomSettings::affinity), 2);
    PoolClient& owner = rig.holder(0);
    mark(owner, {"app.tenant"});
    owner.give_back();
    PoolClient& stranger = rig.asks(1);
    rig.carry();
    EXPECT_TRUE(stranger.waits);
    rig.host(1).open();
    EXPECT_NE(stranger.server, nullptr);
}

TEST(CustomSettings, close_the_server_when_it_is_given_back_where_that_is_asked_for) {
    PoolRig rig(settings(CustomSettings::close));
    PoolClient& owner = rig.holder();
    owner.give_back();
    EXPECT_EQ(rig.idle(), 1) << "it has none";
    owner.ask();
    mark(owner, {"app.tenant"});
    owner.give_back();
    EXPECT_EQ(rig.host().closes, std::vector{ServerClose::custom_settings});
}

// DISCARD ALL leaves the names.
TEST(CustomSettings, are_not_cleared_away_by_a_reset) {
    PoolRig rig(settings(CustomSettings::affinity));
    PoolClient& owner = rig.holder();
    mark(owner, {"app.tenant"}).need_reset();
    owner.give_back();
    EXPECT_EQ(rig.host().closes, std::vector{ServerClose::custom_settings});
}

// Both have been idle for too long, while two wait that can use neither.
TEST(CustomSettings, make_way_with_all_that_one_sweep_closes) {
    config::Pool pool = settings(CustomSettings::affinity, 2);
    pool.reserve_size = 1;
    pool.reserve_timeout = Milliseconds(5000);
    pool.idle_timeout = Milliseconds(4000);
    PoolRig rig(pool);
    PoolClient &one = rig.holder(), &other = rig.holder();
    mark(one, {"app.tenant"});
    mark(other, {"app.tenant"});
    // A dial that fails puts off the next, and what is closed for one.
    PoolClient& third = rig.asks();
    rig.advance(std::chrono::seconds(6));
    rig.refuse();
    third.leave();
    one.give_back();
    other.give_back();
    PoolClient &first = rig.asks(), &second = rig.asks();
    EXPECT_EQ(rig.idle(), 2);
    rig.advance(std::chrono::milliseconds(4500));
    EXPECT_EQ(rig.host().closes, (std::vector{ServerClose::idle_timeout, ServerClose::idle_timeout}));
    rig.host().open();
    rig.host().open();
    EXPECT_NE(first.server, nullptr);
    EXPECT_NE(second.server, nullptr);
}

}  // namespace
}  // namespace pgsluice::pool
