// Which databases of servers an administrator means by a name.
#include <pgsluice/admin/scene.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsluice::admin {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

config::Route route(const std::string& name, const std::string& of_clients, const std::string& of_servers) {
    config::Route made;
    made.name = name;
    if (!of_clients.empty()) made.match.databases = {of_clients};
    made.database = of_servers;
    return made;
}

class ServerNames : public testing::Test {
  protected:
    std::set<std::string> named(const std::string& database) { return server_names({view, config, "0.1.0"}, database); }
    View view;
    config::Config config;
};

TEST_F(ServerNames, are_those_that_clients_or_servers_say) {
    config.routes = {route("first", "a", "b"), route("second", "c", "")};
    EXPECT_THAT(named("a"), ElementsAre("b"));
    EXPECT_THAT(named("b"), ElementsAre("b"));
    EXPECT_THAT(named("c"), ElementsAre("c"));
    EXPECT_THAT(named("d"), IsEmpty());
}

TEST_F(ServerNames, are_those_of_the_clients_where_both_have_the_name) {
    config.routes = {route("first", "a", "b"), route("second", "b", "c")};
    view.servers.resize(1);
    view.servers[0].pool = {"first", "b", "app"};
    EXPECT_THAT(named("b"), ElementsAre("c"));
    EXPECT_THAT(named("a"), ElementsAre("b"));
}

TEST_F(ServerNames, are_all_that_a_name_of_clients_leads_to) {
    config.routes = {route("first", "shop", "old"), route("second", "shop", "")};
    EXPECT_THAT(named("shop"), ElementsAre("old", "shop"));
}

}  // namespace
}  // namespace pgsluice::admin
