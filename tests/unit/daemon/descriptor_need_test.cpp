#include "descriptor_need.hpp"

#include <gtest/gtest.h>

namespace pgsluice::daemon {
namespace {

class DescriptorNeedTest : public testing::Test {
  protected:
    DescriptorNeedTest() {
        config.limits.client_connections = 100;
        without_servers = descriptor_need(config).at_least;
        config::Cluster cluster;
        cluster.name = "main";
        cluster.servers = {{"db1", 5432}, {"db2", 5432}};
        config.clusters = {cluster};
    }
    config::Route& add_route(std::uint32_t size) {
        config::Route route;
        route.cluster = "main";
        route.pool.size = size;
        config.routes.push_back(route);
        return config.routes.back();
    }
    std::uint64_t at_least() const { return descriptor_need(config).at_least - without_servers; }
    std::optional<std::uint64_t> at_most() const {
        const auto need = descriptor_need(config).at_most;
        return need ? std::optional(*need - without_servers) : std::nullopt;
    }

    config::Config config;
    std::uint64_t without_servers = 0;
};

TEST_F(DescriptorNeedTest, clients_have_one_each_and_some_are_reserved) {
    EXPECT_GT(without_servers, 200U);
    EXPECT_EQ(descriptor_need(config).at_most, without_servers);
}

TEST_F(DescriptorNeedTest, a_route_has_a_pool_for_each_database_and_user_that_it_lists) {
    config::Route& route = add_route(20);
    route.pool.reserve_size = 5;
    route.match.databases = {"a", "b", "c"};
    route.match.users = {"app", "other"};
    EXPECT_EQ(at_least(), 3U * 2 * 25);
    EXPECT_EQ(at_most(), 3U * 2 * 25);
    route.database = "one";
    EXPECT_EQ(at_most(), 2U * 25);
    route.user = "role";
    EXPECT_EQ(at_most(), 25U);
}

TEST_F(DescriptorNeedTest, nobody_knows_how_many_pools_a_route_for_any_name_has) {
    config::Route& route = add_route(20);
    route.match.databases = {"a", "b"};
    EXPECT_EQ(at_least(), 40U);
    EXPECT_EQ(at_most(), std::nullopt);
    route.match.users = {"app", "*"};
    EXPECT_EQ(at_most(), std::nullopt);
    route.match.users = {"app"};
    EXPECT_EQ(at_most(), 40U);
    route.pool.mode = config::PoolMode::session;
    EXPECT_EQ(at_least(), 40U);
    EXPECT_EQ(at_most(), std::nullopt);
}

TEST_F(DescriptorNeedTest, the_limit_of_a_clusters_servers_bounds_them_all) {
    add_route(20);
    config.clusters[0].max_connections = 30;
    EXPECT_EQ(at_least(), 20U);
    EXPECT_EQ(at_most(), 60U);
    add_route(500).match = {{"a"}, {"app"}, {}, {}, {}};
    EXPECT_EQ(at_least(), 60U);
    EXPECT_EQ(at_most(), 60U);
}

TEST_F(DescriptorNeedTest, one_cluster_without_a_bound_leaves_the_whole_without) {
    add_route(20).match = {{"a"}, {"app"}, {}, {}, {}};
    config.clusters.push_back(config.clusters[0]);
    config.clusters[1].name = "other";
    add_route(7).cluster = "other";
    EXPECT_EQ(at_least(), 27U);
    EXPECT_EQ(at_most(), std::nullopt);
}

}  // namespace
}  // namespace pgsluice::daemon
