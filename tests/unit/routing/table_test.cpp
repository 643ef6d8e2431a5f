#include <pgsluice/routing/table.hpp>

#include <gtest/gtest.h>

namespace pgsluice::routing {
namespace {

config::Route route(std::string name) {
    config::Route made;
    made.name = std::move(name);
    made.cluster = "main";
    return made;
}
// A route "r" with one condition.
template <class List>
config::Route route_for(List config::RouteMatch::*condition, List list) {
    config::Route made = route("r");
    made.match.*condition = std::move(list);
    return made;
}
using Names = std::vector<std::string>;
using Networks = std::vector<Network>;

// The name of the chosen route, or "none".
std::string chosen(const std::vector<config::Route>& routes, const Facts& facts) {
    const Table table(routes);
    const config::Route* route = table.choose(facts);
    return route == nullptr ? "none" : route->name;
}

Facts facts() {
    return {.database = "orders", .user = "ann", .application_name = "checkout", .sni = "", .address = {}};
}

}  // namespace

TEST(Table, without_routes_takes_nobody) {
    EXPECT_EQ(chosen({}, facts()), "none");
}

TEST(Table, a_route_without_conditions_takes_everybody) {
    EXPECT_EQ(chosen({route("all")}, facts()), "all");
    EXPECT_EQ(chosen({route("all")}, Facts{}), "all");
}

TEST(Table, the_first_match_wins) {
    EXPECT_EQ(chosen({route_for(&config::RouteMatch::users, Names{"bob"}), route("first"), route("second")}, facts()),
              "first");
}

TEST(Table, each_condition_must_hold) {
    config::Route strict = route("r");
    strict.match.databases = {"orders"};
    strict.match.users = {"ann"};
    strict.match.applications = {"checkout"};
    strict.match.sni = {"orders.db.internal"};
    strict.match.from = {*Network::parse("10.0.0.0/8")};
    Facts right = facts();
    right.sni = "orders.db.internal";
    right.address = *Address::parse("10.1.2.3");
    EXPECT_EQ(chosen({strict}, right), "r");
    const auto refused_with = [&](auto change) {
        Facts wrong = right;
        change(wrong);
        return chosen({strict}, wrong) == "none";
    };
    EXPECT_TRUE(refused_with([](Facts& f) { f.database = "Orders"; }));
    EXPECT_TRUE(refused_with([](Facts& f) { f.user = "anna"; }));
    EXPECT_TRUE(refused_with([](Facts& f) { f.application_name = ""; }));
    EXPECT_TRUE(refused_with([](Facts& f) { f.sni = "db.internal"; }));
    EXPECT_TRUE(refused_with([](Facts& f) { f.address = *Address::parse("11.1.2.3"); }));
    EXPECT_TRUE(refused_with([](Facts& f) { f.address = Address{}; }));
}

TEST(Table, lists_hold_alternatives_and_star_takes_all) {
    EXPECT_EQ(chosen({route_for(&config::RouteMatch::databases, Names{"billing", "orders"})}, facts()), "r");
    EXPECT_EQ(chosen({route_for(&config::RouteMatch::databases, Names{"*"})}, facts()), "r");
    EXPECT_EQ(chosen({route_for(&config::RouteMatch::databases, Names{"billing", "*"})}, facts()), "r");
    EXPECT_EQ(chosen({route_for(&config::RouteMatch::databases, Names{"order*"})}, facts()), "none")
        << "only a lone star is special";
    EXPECT_EQ(chosen({route_for(&config::RouteMatch::applications, Names{"*"})}, Facts{}), "r") << "an absent name too";
}

TEST(Table, unix_sockets_are_a_network) {
    const std::vector<config::Route> routes{route_for(&config::RouteMatch::from, Networks{*Network::parse("unix")})};
    EXPECT_EQ(chosen(routes, facts()), "r");
    Facts remote = facts();
    remote.address = *Address::parse("127.0.0.1");
    EXPECT_EQ(chosen(routes, remote), "none");
}

TEST(Table, host_names_ignore_case_and_a_final_dot) {
    const std::vector<config::Route> routes{route_for(&config::RouteMatch::sni, Names{"Orders.DB.internal."})};
    for (const char* sni : {"orders.db.internal", "ORDERS.db.INTERNAL", "orders.db.internal."}) {
        Facts asked = facts();
        asked.sni = sni;
        EXPECT_EQ(chosen(routes, asked), "r") << sni;
    }
    EXPECT_EQ(chosen(routes, facts()), "none") << "a client without SNI";
    Facts other = facts();
    other.sni = "orders.db.internal..";
    EXPECT_EQ(chosen(routes, other), "none");
}

}  // namespace pgsluice::routing
