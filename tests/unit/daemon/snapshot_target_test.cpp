// Where a client is to be connected to, and when two such targets may lend each other's servers.
#include "snapshot.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace pgsluice::daemon {
namespace {

class SnapshotTarget : public testing::Test {
  protected:
    using Settings = std::vector<wire::Setting>;

    SnapshotTarget() {
        cluster.name = "main";
        cluster.servers = {{"db1", 5432}, {"db2", 5433}};
        cluster.tls.mode = config::ServerTlsMode::disable;
        route.name = "all";
        route.cluster = "main";
    }
    std::shared_ptr<const pool::Target> target(const std::string& database = "orders", const std::string& user = "ann",
                                               const Settings& settings = {}) const {
        config::Config config;
        config.clusters = {cluster};
        config.routes = {route};
        auto built = Snapshot::build(std::move(config));
        const auto snapshot = std::get<std::shared_ptr<const Snapshot>>(built);
        return snapshot->target(snapshot->config.routes[0], database, user, settings);
    }
    // Whether the servers are others after a change.
    bool is_another_after(const std::function<void()>& change) {
        const auto old_route = route;
        const auto old_cluster = cluster;
        const auto before = target()->fingerprint;
        change();
        const auto after = target()->fingerprint;
        route = old_route;
        cluster = old_cluster;
        return before != after;
    }

    config::Cluster cluster;
    config::Route route;
};

TEST_F(SnapshotTarget, takes_the_clients_names_where_the_route_has_none) {
    EXPECT_EQ(target()->database, "orders");
    EXPECT_EQ(target()->user, "ann");
    EXPECT_TRUE(target()->password.empty());
    route.database = "archive";
    route.user = "reader";
    route.password = Secret("secret");
    EXPECT_EQ(target()->database, "archive");
    EXPECT_EQ(target()->user, "reader");
    EXPECT_EQ(target()->password.reveal(), "secret");
}

TEST_F(SnapshotTarget, has_all_that_the_route_and_its_cluster_say) {
    route.pool.size = 7;
    route.target_session_attrs = config::TargetSessionAttrs::standby;
    route.parameters = {{"search_path", "app"}};
    route.connect_query = "select 1";
    const auto made = target();
    EXPECT_EQ(made->route, "all");
    EXPECT_EQ(made->settings.size, 7U);
    EXPECT_EQ(made->cluster.servers, cluster.servers);
    EXPECT_EQ(made->session_attrs, config::TargetSessionAttrs::standby);
    EXPECT_EQ(made->parameters, (Settings{{"search_path", "app"}}));
    EXPECT_EQ(made->connect_query, "select 1");
}

TEST_F(SnapshotTarget, has_the_clients_settings_in_session_mode_only) {
    const Settings settings{{"application_name", "psql"}};
    EXPECT_TRUE(target("orders", "ann", settings)->startup.empty());
    EXPECT_EQ(target("orders", "ann", settings)->fingerprint, target()->fingerprint);
    route.pool.mode = config::PoolMode::session;
    EXPECT_EQ(target("orders", "ann", settings)->startup, settings);
    EXPECT_NE(target("orders", "ann", settings)->fingerprint, target()->fingerprint);
}

TEST_F(SnapshotTarget, of_a_replication_connection_runs_no_sql_of_ours) {
    route.connect_query = "select 1";
    route.pool.mode = config::PoolMode::session;
    EXPECT_EQ(target("orders", "ann", {{"replication", "true"}})->connect_query, "");
    EXPECT_EQ(target("orders", "ann")->connect_query, "select 1");
}

TEST_F(SnapshotTarget, is_another_where_its_servers_were_made_otherwise) {
    using Change = std::function<void()>;
    const std::pair<const char*, Change> changes[] = {
        {"host", [this] { cluster.servers[0].host = "db3"; }},
        {"port", [this] { cluster.servers[1].port = 5434; }},
        {"order", [this] { std::swap(cluster.servers[0], cluster.servers[1]); }},
        {"one server less", [this] { cluster.servers.pop_back(); }},
        {"database", [this] { route.database = "archive"; }},
        {"user", [this] { route.user = "reader"; }},
        {"connect_query", [this] { route.connect_query = "select 1"; }},
        {"role", [this] { route.target_session_attrs = config::TargetSessionAttrs::primary; }},
        {"mode", [this] { route.pool.mode = config::PoolMode::statement; }},
        {"parameters",
         [this] {
             route.parameters = {{"search_path", "app"}};
         }},
        {"tls", [this] { cluster.tls.mode = config::ServerTlsMode::prefer; }},
        {"channel binding", [this] { cluster.tls.channel_binding = config::ChannelBinding::require; }},
    };
    for (const auto& [what, change] : changes) EXPECT_TRUE(is_another_after(change)) << what;
}

TEST_F(SnapshotTarget, stays_the_same_where_only_the_pool_changes) {
    EXPECT_FALSE(is_another_after([] {}));
    EXPECT_FALSE(is_another_after([this] {
        route.pool.size = 99;
        route.pool.idle_timeout = Milliseconds(1);
        route.max_connections = 5;
        cluster.max_connections = 5;
    }));
}

TEST_F(SnapshotTarget, never_takes_one_list_of_texts_for_another) {
    route.parameters = {{"ab", "c"}};
    const auto one = target()->fingerprint;
    route.parameters = {{"a", "bc"}};
    EXPECT_NE(target()->fingerprint, one);
    route.parameters = {{"ab", "c"}, {"", ""}};
    EXPECT_NE(target()->fingerprint, one);
}

// By the name that servers know, from the users of the cluster first.
TEST(SnapshotLimits, of_a_users_servers_are_its_own_or_those_of_all) {
    config::Config config;
    config.limits.server_connections_per_user = 9;
    config::User ann, reader, own_reader;
    ann.name = "ann";
    reader.name = own_reader.name = "reader";
    reader.max_server_connections = 3;
    own_reader.max_server_connections = 2;
    config.auth.source.users = {ann, reader};
    config::Cluster cluster;
    cluster.tls.mode = config::ServerTlsMode::disable;
    cluster.servers = {{"db1", 5432}};
    for (const char* name : {"main", "own"}) {
        cluster.name = name;
        config.clusters.push_back(cluster);
        config::Route route;
        route.name = route.cluster = name;
        config.routes.push_back(route);
    }
    config.clusters[1].source.users = {own_reader};
    const auto snapshot = std::get<std::shared_ptr<const Snapshot>>(Snapshot::build(config));
    const auto limit = [&](std::size_t route, const std::string& user) {
        return snapshot->target(snapshot->config.routes[route], "orders", user, {})->max_user_connections;
    };
    EXPECT_EQ(limit(0, "ann"), 9U);
    EXPECT_EQ(limit(0, "stranger"), 9U);
    EXPECT_EQ(limit(0, "reader"), 3U);
    EXPECT_EQ(limit(1, "reader"), 2U);
}

}  // namespace
}  // namespace pgsluice::daemon
