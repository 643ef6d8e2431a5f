#include "client_limits.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pgsluice::daemon {
namespace {

class ClientLimitsTest : public testing::Test {
  protected:
    using Request = ClientLimits::Request;

    static Address at(std::string_view text) { return Address::parse(text).value(); }
    static Request ann() { return {.user = "ann", .database = "orders", .route = "main"}; }
    // "" where there is a place, else what the client is told.
    std::string admit(const Request& request, Admission& admission) {
        const auto error = counts.admit(request, limits, admission);
        if (!error) return "";
        EXPECT_EQ(error->severity, wire::Severity::fatal);
        return std::string(error->code()) + ' ' + error->message;
    }
    std::string admit(const Request& request) {
        admitted.emplace_back();
        return admit(request, admitted.back());
    }

    config::Limits limits;
    ClientLimits counts;
    std::vector<Admission> admitted;
};

TEST_F(ClientLimitsTest, without_limits_everybody_is_admitted) {
    for (int i = 0; i < 100; ++i) EXPECT_EQ(admit(ann()), "");
}

TEST_F(ClientLimitsTest, each_limit_counts_its_own_name) {
    struct Case {
        const char* what;
        Request request, other;
        config::Limits limits;
    };
    Request limited_user = ann(), limited_route = ann(), bob = ann(), stock = ann(), side = ann();
    limited_user.user_limit = 2;
    limited_route.route_limit = 2;
    bob.user = "bob";
    stock.database = "stock";
    side.route = "side";
    side.route_limit = 2;
    const Case cases[] = {
        {"role \"ann\"", ann(), bob, {.connections_per_user = 2}},
        {"role \"ann\"", limited_user, bob, {}},
        {"database \"orders\"", ann(), stock, {.connections_per_database = 2}},
        {"route \"main\"", limited_route, side, {}},
    };
    for (const Case& each : cases) {
        limits = each.limits;
        EXPECT_EQ(admit(each.request), "") << each.what;
        EXPECT_EQ(admit(each.request), "") << each.what;
        EXPECT_EQ(admit(each.request), std::string("53300 too many connections for ") + each.what);
        EXPECT_EQ(admit(each.other), "") << each.what;
        admitted.clear();
    }
}

TEST_F(ClientLimitsTest, an_address_is_counted_before_anybody_logs_in) {
    std::vector<AddressPlace> places;
    for (int i = 0; i < 3; ++i) places.push_back(counts.enter_from(at("10.0.0.1"), 2));
    EXPECT_TRUE(places[1].is_within_limit());
    EXPECT_FALSE(places[2].is_within_limit());
    EXPECT_TRUE(counts.enter_from(at("10.0.0.2"), 2).is_within_limit());
    EXPECT_TRUE(counts.enter_from(at("10.0.0.1"), 0).is_within_limit());
    const auto error = ClientLimits::too_many_from(at("10.0.0.1"), 2);
    EXPECT_EQ(error.code(), "53300");
    EXPECT_EQ(error.message, "too many connections for address \"10.0.0.1\"");
    places.erase(places.begin());
    EXPECT_FALSE(counts.enter_from(at("10.0.0.1"), 2).is_within_limit());
    places.clear();
    EXPECT_TRUE(counts.enter_from(at("10.0.0.1"), 1).is_within_limit());
}

TEST_F(ClientLimitsTest, a_hosts_ipv6_addresses_are_counted_together) {
    const auto first = counts.enter_from(at("2001:db8:0:1::1"), 2);
    const auto second = counts.enter_from(at("2001:db8:0:1:ffff:ffff:ffff:ffff"), 2);
    EXPECT_TRUE(second.is_within_limit());
    EXPECT_FALSE(counts.enter_from(at("2001:db8:0:1:2::"), 2).is_within_limit());
    EXPECT_TRUE(counts.enter_from(at("2001:db8:0:2::1"), 2).is_within_limit());
    EXPECT_EQ(ClientLimits::too_many_from(at("2001:db8:0:1::1"), 2).message,
              "too many connections for address \"2001:db8:0:1::/64\"");
}

TEST_F(ClientLimitsTest, a_mapped_address_is_counted_with_its_ipv4_address) {
    const auto place = counts.enter_from(at("10.0.0.1"), 1);
    EXPECT_FALSE(counts.enter_from(at("::ffff:10.0.0.1"), 1).is_within_limit());
    EXPECT_TRUE(counts.enter_from(at("::ffff:10.0.0.2"), 1).is_within_limit());
}

TEST_F(ClientLimitsTest, a_few_beyond_the_limit_of_an_address_are_heard) {
    std::vector<AddressPlace> places;
    for (std::uint32_t i = 0; i < 2 + AddressPlace::heard_beyond_limit; ++i) {
        places.push_back(counts.enter_from(at("::1"), 2));
        EXPECT_TRUE(places.back().may_be_heard()) << i;
    }
    EXPECT_FALSE(counts.enter_from(at("::1"), 2).may_be_heard());
}

TEST_F(ClientLimitsTest, a_users_own_limit_stands_in_place_of_that_for_all) {
    limits.connections_per_user = 1;
    Request favoured = ann();
    favoured.user_limit = 3;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(admit(favoured), "");
    EXPECT_NE(admit(favoured), "");
}

TEST_F(ClientLimitsTest, the_error_names_the_limit) {
    limits.connections_per_database = 1;
    EXPECT_EQ(admit(ann()), "");
    Admission refused;
    EXPECT_EQ(counts.admit(ann(), limits, refused)->detail, "The limit of 1 client connections is reached.");
}

TEST_F(ClientLimitsTest, a_place_is_given_back_when_its_client_goes) {
    limits.connections_per_user = 1;
    EXPECT_EQ(admit(ann()), "");
    EXPECT_NE(admit(ann()), "");
    admitted.clear();
    EXPECT_EQ(admit(ann()), "");
}

TEST_F(ClientLimitsTest, who_is_refused_takes_no_place) {
    Request other = ann();
    other.database = "stock";
    limits.connections_per_database = 1;
    limits.connections_per_user = 2;
    EXPECT_EQ(admit(ann()), "");
    EXPECT_NE(admit(ann()), "");
    EXPECT_EQ(admit(other), "") << "the refused one must not count for its user";
}

TEST_F(ClientLimitsTest, a_place_moves_with_its_admission) {
    limits.connections_per_user = 1;
    Admission first;
    EXPECT_EQ(admit(ann(), first), "");
    Admission second(std::move(first));
    first = Admission();
    EXPECT_NE(admit(ann()), "");
    second = Admission();
    EXPECT_EQ(admit(ann()), "");
}

TEST_F(ClientLimitsTest, counts_clients_from_their_accept_on) {
    ClientSlot one(counts, 2), two(counts, 2);
    EXPECT_TRUE(one.is_within_limit() && two.is_within_limit());
    {
        const ClientSlot three(counts, 2);
        EXPECT_FALSE(three.is_within_limit());
        EXPECT_EQ(counts.clients(), 3U) << "also while it is being told so";
    }
    EXPECT_EQ(counts.clients(), 2U);
    ClientSlot moved(std::move(one));
    EXPECT_EQ(counts.clients(), 2U);
    moved = ClientSlot(counts, 3);
    EXPECT_EQ(counts.clients(), 2U);
    EXPECT_TRUE(moved.is_within_limit());
}

TEST_F(ClientLimitsTest, only_so_many_above_the_limit_are_heard) {
    std::vector<ClientSlot> slots;
    for (std::uint32_t i = 0; i < 3 + ClientLimits::refusals_at_once; ++i) {
        EXPECT_TRUE(slots.emplace_back(counts, 3).may_be_heard());
    }
    EXPECT_FALSE(ClientSlot(counts, 3).may_be_heard());
    slots.pop_back();
    EXPECT_TRUE(ClientSlot(counts, 3).may_be_heard());
}

TEST_F(ClientLimitsTest, some_administrators_have_places_beside_all_clients) {
    std::vector<ClientSlot> slots;
    slots.emplace_back(counts, 1);
    for (std::uint32_t i = 0; i < ClientLimits::reserved_for_administrators; ++i) {
        EXPECT_TRUE(slots.emplace_back(counts, 1).enter_console(true)) << i;
        EXPECT_TRUE(slots.back().is_reserved());
    }
    EXPECT_FALSE(ClientSlot(counts, 1).enter_console(true)) << "beyond that they count as clients";
    EXPECT_TRUE(ClientSlot(counts, 2).enter_console(true));
    slots.erase(slots.begin());
    EXPECT_TRUE(ClientSlot(counts, 1).is_within_limit()) << "nor do they take one from clients";
    slots.pop_back();
    EXPECT_TRUE(ClientSlot(counts, 1).enter_console(true));
}

TEST_F(ClientLimitsTest, whoever_looks_into_the_console_has_a_clients_place_and_is_not_waited_for) {
    ClientSlot looks(counts, 1);
    EXPECT_TRUE(looks.enter_console(false));
    EXPECT_FALSE(looks.is_reserved());
    EXPECT_EQ(counts.clients(), 0U);
    ClientSlot client(counts, 1);
    EXPECT_FALSE(client.is_within_limit());
    EXPECT_FALSE(client.enter_console(false));
    EXPECT_EQ(counts.clients(), 1U);
    looks = ClientSlot();
    EXPECT_EQ(counts.clients(), 1U);
}

TEST_F(ClientLimitsTest, no_slot_counts_nobody) {
    const ClientSlot none;
    EXPECT_TRUE(none.is_within_limit());
    EXPECT_EQ(counts.clients(), 0U);
}

}  // namespace
}  // namespace pgsluice::daemon
