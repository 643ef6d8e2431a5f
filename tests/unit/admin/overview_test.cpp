// What is in the overview, taken apart again by a JSON parser.
#include <pgsluice/admin/overview.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace pgsluice::admin {
namespace {

namespace json = boost::json;
using metrics::ClientState;
using metrics::ServerState;

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t now = 1'700'000'000 * second;

class OverviewTest : public testing::Test {
  protected:
    OverviewTest() {
        config::Route& route = config.routes.emplace_back();
        route.name = "orders";
        route.cluster = "main";
        config.clusters.emplace_back().name = "main";
        config.clusters.back().max_connections = 50;
    }

    json::object made() {
        const Scene scene{view, config, "0.1.0", is_draining, all_paused, paused, disabled};
        const OverviewFacts facts{.scene = scene,
                                  .counted = counted,
                                  .upstreams = upstreams,
                                  .workers = 2,
                                  .started_at = now - 100 * second,
                                  .now = now,
                                  .uptime = 90 * second + 250'000};
        text = overview(facts);
        return json::parse(text).as_object();
    }
    ClientView& client(ClientState state, const PoolName& pool = {"orders", "app", "u"}) {
        ClientView& made = view.clients.emplace_back();
        made.id = view.clients.size();
        made.pool = pool;
        made.user = "client_" + pool.user;
        made.database = "client_" + pool.database;
        made.state = state;
        return made;
    }
    void server(ServerState state, const std::string& label = "db1:5432",
                const PoolName& pool = {"orders", "app", "u"}) {
        ServerView& made = view.servers.emplace_back();
        made.pool = pool;
        made.state = state;
        made.label = label;
    }

    View view;
    config::Config config;
    metrics::Summary counted;
    std::vector<UpstreamView> upstreams;
    bool is_draining = false, all_paused = false;
    std::set<std::string> paused, disabled;
    std::string text;
};

std::string printed(const json::value& value) {
    return json::serialize(value);
}

TEST_F(OverviewTest, OfAnIdleProcessIsWholeAndEmpty) {
    const json::object out = made();
    EXPECT_EQ(out.at("version"), "0.1.0");
    EXPECT_EQ(out.at("workers"), 2);
    EXPECT_EQ(out.at("uptime_seconds").as_double(), 90.25);
    EXPECT_EQ(out.at("start_time_seconds").as_double(), 1'699'999'900.0);
    EXPECT_EQ(out.at("draining"), false);
    for (const char* list : {"pools", "servers", "pins", "errors", "policies", "paused_databases"})
        EXPECT_TRUE(out.at(list).as_array().empty()) << list;
    EXPECT_EQ(printed(out.at("truncated")), R"({"pools":false,"waits":false,"pins":false})");
}

TEST_F(OverviewTest, TellsWhatIsPausedDisabledAndDraining) {
    is_draining = all_paused = true;
    paused = {"app"};
    disabled = {"b", "c"};
    const json::object out = made();
    EXPECT_EQ(out.at("draining"), true);
    EXPECT_EQ(out.at("all_paused"), true);
    EXPECT_EQ(printed(out.at("paused_databases")), R"(["app"])");
    EXPECT_EQ(printed(out.at("disabled_databases")), R"(["b","c"])");
}

TEST_F(OverviewTest, SumsAPoolOverItsWorkers) {
    for (const std::size_t connecting : {1, 2})
        view.pools.push_back({{"orders", "app", "u"}, config::PoolMode::session, connecting, 20});
    client(ClientState::idle), client(ClientState::active).pins = {"listen"}, client(ClientState::active);
    client(ClientState::waiting).waits_for = 1'500'000;
    client(ClientState::waiting).waits_for = 500'000;
    server(ServerState::active), server(ServerState::active, "db2:5432"), server(ServerState::idle);
    server(ServerState::connecting);
    const json::array pools = made().at("pools").as_array();
    ASSERT_EQ(pools.size(), 1u);
    EXPECT_EQ(printed(pools[0]),
              R"({"route":"orders","database":"app","user":"u","mode":"session","size":20,)"
              R"("servers":{"connecting":4,"idle":1,"active":2,"checking":0,"resetting":0,"cancelling":0},)"
              R"("hosts":["db1:5432","db2:5432"],"clients":{"idle":1,"active":2,"waiting":2},"pinned_clients":1,)"
              R"("oldest_waiter_seconds":1.5E0})");
}

TEST_F(OverviewTest, TellsBothModesOfARouteWhereClientsOfBothAreThere) {
    for (const auto mode : {config::PoolMode::statement, config::PoolMode::session})
        view.pools.push_back({{"orders", "app", "u"}, mode, 0, 20});
    const json::array pools = made().at("pools").as_array();
    ASSERT_EQ(pools.size(), 1u);
    EXPECT_EQ(printed(pools[0].at("mode")), R"("session/statement")");
}

TEST_F(OverviewTest, RoutesHaveTheirClientsAndTheSumsOfTheMetrics) {
    client(ClientState::active).pins = {"cursor"};
    client(ClientState::waiting, {"orders", "other", "u"}).waits_for = 2 * second;
    client(ClientState::idle, {"gone", "app", "u"});
    counted.routes["orders"] = {.transactions = 3, .queries = 5, .bytes = {1, 2, 3, 4}};
    counted.routes["gone"] = {.transactions = 9, .queries = 9};
    const json::array routes = made().at("routes").as_array();
    ASSERT_EQ(routes.size(), 1u) << "those of the configuration";
    EXPECT_EQ(printed(routes[0]),
              R"({"name":"orders","cluster":"main","clients":{"idle":0,"active":1,"waiting":1},"pinned_clients":1,)"
              R"("oldest_waiter_seconds":2E0,"transactions_total":3,"queries_total":5,)"
              R"("bytes_total":{"client_in":1,"client_out":2,"server_in":3,"server_out":4}})");
}

TEST_F(OverviewTest, ServersAreThoseOfTheClusters) {
    upstreams.push_back({"main", "db1", 5432, 7, true});
    EXPECT_EQ(printed(made().at("servers")),
              R"([{"cluster":"main","host":"db1","port":5432,"down":true,"connections":7,"max_connections":50}])");
}

TEST_F(OverviewTest, WaitsBeginWithTheLongest) {
    client(ClientState::waiting, {"orders", "a", "u"}).waits_for = second;
    client(ClientState::waiting, {"orders", "b", "u"}).waits_for = 3 * second;
    client(ClientState::waiting, {"orders", "b", "u"}).waits_for = 2 * second;
    client(ClientState::active, {"orders", "c", "u"});
    EXPECT_EQ(printed(made().at("waits")),
              R"({"waiting":3,"oldest_waiter_seconds":3E0,"pools":[)"
              R"({"route":"orders","database":"b","user":"u","waiting":2,"oldest_waiter_seconds":3E0},)"
              R"({"route":"orders","database":"a","user":"u","waiting":1,"oldest_waiter_seconds":1E0}]})");
}

TEST_F(OverviewTest, PinsBeginWithTheOldest) {
    ClientView& young = client(ClientState::active);
    young.pins = {"listen"};
    young.pinned_at = now - second;
    ClientView& old = client(ClientState::active);
    old.pins = {"temporary_table", "cursor"};
    old.pinned_at = now - 60 * second;
    EXPECT_EQ(printed(made().at("pins")),
              R"([{"id":2,"user":"client_u","database":"client_app","route":"orders",)"
              R"("reasons":["temporary_table","cursor"],"age_seconds":6E1},)"
              R"({"id":1,"user":"client_u","database":"client_app","route":"orders","reasons":["listen"],)"
              R"("age_seconds":1E0}])");
}

TEST_F(OverviewTest, ErrorsAndVerdictsAreThoseOfTheMetrics) {
    counted.errors.push_back({metrics::ErrorOrigin::server, "42", 3});
    config.policies.emplace_back().name = "no-delete";
    config.policies.emplace_back().name = "watch";
    config.policies.back().action = config::PolicyAction::log;
    config.policies.back().mode = config::PolicyMode::shadow;
    counted.verdicts[{"no-delete", "block", "enforce"}] = 4;
    counted.verdicts[{"gone", "block", "enforce"}] = 5;
    const json::object out = made();
    EXPECT_EQ(printed(out.at("errors")), R"([{"origin":"server","class":"42","errors_total":3}])");
    EXPECT_EQ(printed(out.at("policies")),
              R"([{"name":"no-delete","action":"block","mode":"enforce","verdicts_total":4},)"
              R"({"name":"watch","action":"log","mode":"shadow","verdicts_total":0}])");
}

TEST_F(OverviewTest, NamesAreUtf8AndShortWhateverClientsSay) {
    const std::string nasty = "a\"b\n\xff\\";
    client(ClientState::active, {"orders", nasty, std::string(100'000, '"')}).pins = {"listen"};
    const json::object out = made();
    EXPECT_EQ(out.at("pools").at(0).at("database"), "a\"b\\x0a\\xff\\\\");
    EXPECT_LT(text.size(), 4'000u);
    EXPECT_EQ(text.find('\xff'), std::string::npos);
}

TEST_F(OverviewTest, HoldsNothingOfASecretOrOfWhatClientsCallThemselves) {
    config.admin_http.token = Secret("canary-of-a-token");
    config.routes[0].password = Secret("canary-password");
    client(ClientState::active).application_name = "canary_application";
    made();
    EXPECT_EQ(text.find("canary"), std::string::npos) << text;
}

TEST_F(OverviewTest, IsCutWhereThereIsTooMuchAndSaysSo) {
    for (std::size_t i = 0; i <= most_shown; ++i) {
        ClientView& each = client(ClientState::waiting, {"orders", "db" + std::to_string(i), "u"});
        each.waits_for = static_cast<std::int64_t>(i) * second;
        each.pins = {"listen"};
        each.pinned_at = now - static_cast<std::int64_t>(i) * second;
    }
    json::object out = made();
    EXPECT_EQ(printed(out.at("truncated")), R"({"pools":true,"waits":true,"pins":true})");
    EXPECT_EQ(out.at("pools").as_array().size(), most_shown);
    EXPECT_EQ(out.at("waits").at("pools").as_array().size(), most_shown);
    EXPECT_EQ(out.at("pins").as_array().size(), most_shown);
    EXPECT_EQ(out.at("waits").at("waiting"), most_shown + 1);
    EXPECT_EQ(out.at("pools").at(0).at("database"), "db1000") << "the one that waits longest";
    EXPECT_EQ(out.at("pins").at(0).at("database"), "client_db1000") << "the oldest";
    view.clients.pop_back();
    EXPECT_EQ(printed(made().at("truncated")), R"({"pools":false,"waits":false,"pins":false})");
}

}  // namespace
}  // namespace pgsluice::admin
