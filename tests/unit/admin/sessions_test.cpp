// Clients as JSON, taken apart again by a JSON parser.
#include <pgsluice/admin/overview.hpp>
#include <pgsluice/admin/sessions.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace pgsluice::admin {
namespace {

namespace json = boost::json;
using metrics::ClientState;

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t now = 1'700'000'000 * second;

ClientView client(std::uint64_t id) {
    ClientView made;
    made.id = id;
    made.user = "ann";
    made.database = "orders";
    made.application_name = "checkout";
    made.pool = {"orders", "orders_1", "app"};
    made.address = *Address::parse("10.0.0.7");
    made.address.port = 40'001;
    made.connected_at = now - 60 * second;
    made.active_at = now - 3 * second;
    return made;
}

json::object told(const View& view) {
    return json::parse(sessions(view, now)).as_object();
}

TEST(Sessions, a_client_at_rest_has_no_server_no_pin_and_no_transaction) {
    View view;
    view.clients.push_back(client(7));
    view.clients.back().prepared_statements = 2;
    EXPECT_EQ(json::serialize(told(view)),
              R"({"count":1,"truncated":false,"sessions":[{"id":7,"user":"ann","database":"orders","route":"orders",)"
              R"("address":"10.0.0.7","port":40001,"application_name":"checkout","connected_seconds":6E1,)"
              R"("state":"idle","state_seconds":3E0,"server":null,"pin":null,"transaction":null,)"
              R"("prepared_statements":2}]})");
}

TEST(Sessions, what_it_has_and_for_how_long) {
    View view;
    ClientView& busy = view.clients.emplace_back(client(7));
    busy.state = ClientState::active;
    busy.server = 12;
    busy.pins = {"listen", "cursor"};
    busy.pinned_at = now - 20 * second;
    busy.transaction_at = now - 5 * second / 2;
    ServerView& server = view.servers.emplace_back();
    server.id = 12;
    server.label = "db1:5432";
    server.process_id = 4321;
    const json::value out = told(view).at("sessions").at(0);
    EXPECT_EQ(out.at("state"), "active");
    EXPECT_EQ(json::serialize(out.at("server")), R"({"id":12,"host":"db1:5432","process_id":4321})");
    EXPECT_EQ(json::serialize(out.at("pin").at("reasons")), R"(["listen","cursor"])");
    EXPECT_EQ(out.at("pin").at("age_seconds").as_double(), 20);
    EXPECT_EQ(out.at("transaction").at("age_seconds").as_double(), 2.5);
}

TEST(Sessions, who_waits_has_been_waiting_since_it_asked) {
    View view;
    view.clients.push_back(client(7));
    view.clients.back().state = ClientState::waiting;
    view.clients.back().waits_for = 2 * second;
    const json::value out = told(view).at("sessions").at(0);
    EXPECT_EQ(out.at("state"), "waiting");
    EXPECT_EQ(out.at("state_seconds").as_double(), 2);
}

TEST(Sessions, one_by_a_unix_socket_says_so) {
    View view;
    view.clients.push_back(client(7));
    view.clients.back().address = Address();
    view.clients.back().address.family = Address::Family::unix_socket;
    EXPECT_EQ(told(view).at("sessions").at(0).at("address"), "unix");
}

TEST(Sessions, names_are_utf8_and_short_whatever_clients_say) {
    View view;
    view.clients.push_back(client(7));
    view.clients.back().application_name = "caf\xE9\n" + std::string(500, 'x');
    const json::string name = told(view).at("sessions").at(0).at("application_name").as_string();
    EXPECT_TRUE(name.starts_with("caf\\xe9\\x0a"));
    EXPECT_LT(name.size(), 140u);
}

TEST(Sessions, the_oldest_transactions_come_first_and_are_never_what_is_cut) {
    View view;
    for (std::uint64_t id = 1; id <= most_shown + 5; ++id) view.clients.push_back(client(id));
    view.clients.back().transaction_at = now - second;
    view.clients[most_shown].transaction_at = now - 9 * second;
    const json::object out = told(view);
    EXPECT_EQ(out.at("count"), most_shown + 5);
    EXPECT_EQ(out.at("truncated"), true);
    ASSERT_EQ(out.at("sessions").as_array().size(), most_shown);
    EXPECT_EQ(out.at("sessions").at(0).at("id"), most_shown + 1);
    EXPECT_EQ(out.at("sessions").at(1).at("id"), most_shown + 5);
    EXPECT_EQ(out.at("sessions").at(2).at("id"), 1);
}

}  // namespace
}  // namespace pgsluice::admin
