// SHOW POOLS: one row for each database and user, over all routes that lead there.
#include "tables.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace pgsluice::admin {
namespace {

using ::testing::ElementsAre;

const PoolName by_app{"app", "shop", "clerk"};
const PoolName by_reports{"reports", "shop", "clerk"};

class Pools : public testing::Test {
  protected:
    void add_pool(const PoolName& name, config::PoolMode mode) {
        PoolView pool;
        pool.name = name;
        pool.mode = mode;
        view.pools.push_back(pool);
    }
    Scene scene() const { return {view, config, "0.1.0", false, false, {}}; }
    // "database user route mode cl_active/cl_waiting sv_idle", a row each.
    std::vector<std::string> shown() const {
        const Columns all = columns(find_table("pools")->columns);
        const auto at = [&](const Row& row, const std::string& column) {
            const auto found =
                std::find_if(all.begin(), all.end(), [&](const Column& each) { return each.name == column; });
            return row.at(static_cast<std::size_t>(found - all.begin())).value_or("-");
        };
        std::vector<std::string> rows;
        for (const Row& row : pools(scene())) {
            EXPECT_EQ(row.size(), all.size());
            rows.push_back(at(row, "database") + ' ' + at(row, "user") + ' ' + at(row, "route") + ' ' +
                           at(row, "pool_mode") + ' ' + at(row, "cl_active") + '/' + at(row, "cl_waiting") + ' ' +
                           at(row, "sv_idle"));
        }
        return rows;
    }
    View view;
    config::Config config;
};

TEST_F(Pools, of_routes_to_one_database_and_user_are_one_row_that_names_them_and_their_modes) {
    add_pool(by_reports, config::PoolMode::session);
    add_pool(by_app, config::PoolMode::transaction);
    ClientView client;
    client.pool = by_app;
    client.state = metrics::ClientState::waiting;
    view.clients.push_back(client);
    ServerView server;
    server.pool = by_reports;
    server.state = metrics::ServerState::idle;
    view.servers.push_back(server);
    EXPECT_THAT(shown(), ElementsAre("shop clerk app, reports transaction, session 0/1 1"));
    const std::vector<Row> listed = lists(scene());
    EXPECT_THAT(listed, testing::Contains(Row{"pools", "1"}));
}

TEST_F(Pools, of_several_workers_are_one_row) {
    add_pool(by_app, config::PoolMode::transaction);
    add_pool(by_app, config::PoolMode::transaction);
    EXPECT_THAT(shown(), ElementsAre("shop clerk app transaction 0/0 0"));
}

TEST_F(Pools, of_a_route_whose_mode_has_changed_tell_both_while_clients_of_both_are_there) {
    add_pool(by_app, config::PoolMode::transaction);
    add_pool(by_app, config::PoolMode::statement);
    add_pool(by_reports, config::PoolMode::session);
    EXPECT_THAT(shown(), ElementsAre("shop clerk app, reports transaction/statement, session 0/0 0"));
}

}  // namespace
}  // namespace pgsluice::admin
