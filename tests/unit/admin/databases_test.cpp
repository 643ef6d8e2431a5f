// SHOW DATABASES: one row for each name that clients give, whatever routes they take.
#include "tables.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace pgsluice::admin {
namespace {

using ::testing::ElementsAre;

config::Route route(const std::string& name, std::vector<std::string> databases, std::vector<std::string> users,
                    config::PoolMode mode) {
    config::Route made;
    made.name = name;
    made.match.databases = std::move(databases);
    made.match.users = std::move(users);
    made.pool.mode = mode;
    return made;
}

class Databases : public testing::Test {
  protected:
    void add_clients(std::size_t how_many, const std::string& route, const std::string& database) {
        for (std::size_t i = 0; i < how_many; ++i) {
            ClientView client;
            client.database = database;
            client.pool = {route, database, "app"};
            view.clients.push_back(client);
        }
    }
    void add_servers(std::size_t how_many, const std::string& route, const std::string& database) {
        for (std::size_t i = 0; i < how_many; ++i) {
            ServerView server;
            server.pool = {route, database, "app"};
            view.servers.push_back(server);
        }
    }
    static std::string at(const Row& row, const std::string& column) {
        const Columns all = columns(find_table("databases")->columns);
        const auto found =
            std::find_if(all.begin(), all.end(), [&](const Column& each) { return each.name == column; });
        return row.at(static_cast<std::size_t>(found - all.begin())).value_or("-");
    }
    // "name route mode servers/clients paused", a row each.
    std::vector<std::string> shown() const {
        std::vector<std::string> rows;
        for (const Row& row : databases({view, config, "0.1.0", false, false, paused})) {
            rows.push_back(at(row, "name") + ' ' + at(row, "route") + ' ' + at(row, "pool_mode") + ' ' +
                           at(row, "current_connections") + '/' + at(row, "current_client_connections") + ' ' +
                           at(row, "paused"));
        }
        return rows;
    }
    View view;
    config::Config config;
    std::set<std::string> paused;
};

TEST_F(Databases, tell_each_servers_port_where_they_differ) {
    config.routes = {route("app", {"app"}, {}, config::PoolMode::transaction)};
    config.routes[0].cluster = "main";
    config.clusters.emplace_back();
    config.clusters[0].name = "main";
    config.clusters[0].servers = {{"db1", 5432}, {"db2", 5432}};
    const auto shown_as = [&](const std::string& column) {
        return at(databases({view, config, "0.1.0", false, false, paused}).front(), column);
    };
    EXPECT_EQ(shown_as("host"), "db1,db2");
    EXPECT_EQ(shown_as("port"), "5432");
    config.clusters[0].servers[1].port = 5433;
    EXPECT_EQ(shown_as("host"), "db1:5432,db2:5433");
    EXPECT_EQ(shown_as("port"), "5432");
}

TEST_F(Databases, count_what_comes_by_all_routes_and_show_the_one_for_everybody) {
    config.routes = {route("migrations", {"app"}, {"migrator"}, config::PoolMode::session),
                     route("app", {"app"}, {}, config::PoolMode::transaction)};
    add_clients(1, "migrations", "app");
    add_clients(30, "app", "app");
    add_servers(1, "migrations", "app");
    add_servers(10, "app", "app");
    EXPECT_THAT(shown(), ElementsAre("app app transaction 11/31 0"));
}

TEST_F(Databases, show_a_route_by_a_pattern_where_only_that_is_for_everybody) {
    config.routes = {route("migrations", {"app"}, {"migrator"}, config::PoolMode::session),
                     route("rest", {"*"}, {}, config::PoolMode::transaction)};
    add_servers(2, "rest", "app");
    add_servers(3, "rest", "other");
    EXPECT_THAT(shown(), ElementsAre("app rest transaction 2/0 0", "other rest transaction 3/0 0"));
}

TEST_F(Databases, found_by_a_pattern_stay_while_their_servers_do) {
    config.routes = {route("rest", {"*"}, {}, config::PoolMode::transaction)};
    add_servers(1, "rest", "shop");
    EXPECT_THAT(shown(), ElementsAre("shop rest transaction 1/0 0"));
    view.servers.clear();
    EXPECT_THAT(shown(), ElementsAre("* rest transaction 0/0 0"));
}

TEST_F(Databases, of_servers_are_no_names_where_the_route_names_them_itself) {
    config.routes = {route("rest", {"*"}, {}, config::PoolMode::transaction)};
    config.routes[0].database = "shop";
    add_servers(1, "rest", "shop");
    EXPECT_THAT(shown(), ElementsAre("* rest transaction 1/0 0"));
}

TEST_F(Databases, are_those_of_a_route_that_a_reload_has_taken_the_name_from) {
    config.routes = {route("app", {"app"}, {}, config::PoolMode::transaction)};
    add_clients(1, "app", "shop");
    EXPECT_THAT(shown(), ElementsAre("app app transaction 0/0 0", "shop app transaction 0/1 0"));
}

TEST_F(Databases, show_the_first_route_where_none_is_for_everybody) {
    config.routes = {route("migrations", {"app"}, {"migrator"}, config::PoolMode::session),
                     route("app", {"app"}, {"app"}, config::PoolMode::transaction)};
    add_clients(2, "app", "app");
    EXPECT_THAT(shown(), ElementsAre("app migrations session 0/2 0"));
}

TEST_F(Databases, are_no_matter_of_routes_that_nobody_reaches_by_the_name) {
    config.routes = {route("app", {"app"}, {}, config::PoolMode::transaction),
                     route("rest", {"*"}, {}, config::PoolMode::session)};
    config.routes[0].database = "app1";
    add_clients(1, "app", "app");
    add_servers(1, "rest", "app");
    paused = {"app"};
    EXPECT_THAT(shown(), testing::Contains("app app transaction 0/1 0"));
}

TEST_F(Databases, are_paused_with_any_server_database_that_the_name_leads_to) {
    config.routes = {route("old", {"shop"}, {"clerk"}, config::PoolMode::session),
                     route("shop", {"shop"}, {}, config::PoolMode::transaction)};
    config.routes[0].database = "shop1";
    paused = {"shop1"};
    EXPECT_THAT(shown(), ElementsAre("shop shop transaction 0/0 1"));
}

}  // namespace
}  // namespace pgsluice::admin
