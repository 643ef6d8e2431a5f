// The statistics of queries as JSON, taken apart again by a JSON parser, and as a table of the console.
#include "tables.hpp"

#include <pgsluice/admin/queries.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace pgsluice::admin {
namespace {

namespace json = boost::json;
using insight::Order;
using insight::Statistics;
using insight::WallTime;
using namespace std::chrono_literals;

Statistics query(std::uint64_t fingerprint, std::string text) {
    Statistics statistics;
    statistics.query =
        std::make_shared<const insight::Query>(insight::Query{fingerprint, "orders", "app", std::move(text), false});
    return statistics;
}

json::object told(const insight::Picture& picture, QueriesWanted wanted = {}) {
    return json::parse(queries({.picture = picture, .max_queries = 500, .wanted = wanted})).as_object();
}

TEST(Queries, are_told_in_seconds_with_what_they_are_about) {
    insight::Picture picture;
    picture.evicted = 3;
    Statistics& one = picture.queries.emplace_back(query(0xDA39A3EE, "SELECT\n\t$1"));
    const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    one.add({.server_time = 250ms, .wait = 2ms, .rows = 4, .bytes = 80, .at = WallTime(1'700'000'000s)});
    one.add({.server_time = 750ms, .failed = true, .at = WallTime(1'700'000'009s), .trace_id = trace});
    const json::object out = told(picture);
    EXPECT_EQ(out.at("max_queries"), 500);
    EXPECT_EQ(out.at("known"), 1);
    EXPECT_EQ(out.at("evicted"), 3);
    EXPECT_EQ(out.at("order"), "total_time");
    const json::object& item = out.at("queries").at(0).as_object();
    EXPECT_EQ(item.at("fingerprint"), "00000000da39a3ee");
    EXPECT_EQ(item.at("route"), "orders");
    EXPECT_EQ(item.at("user"), "app");
    EXPECT_EQ(item.at("text"), "SELECT\n\t$1");
    EXPECT_EQ(item.at("text_truncated"), false);
    EXPECT_EQ(item.at("calls"), 2);
    EXPECT_EQ(item.at("errors"), 1);
    EXPECT_EQ(item.at("rows"), 4);
    EXPECT_EQ(item.at("bytes"), 80);
    EXPECT_DOUBLE_EQ(item.at("total_time_seconds").as_double(), 1.0);
    EXPECT_DOUBLE_EQ(item.at("mean_time_seconds").as_double(), 0.5);
    EXPECT_DOUBLE_EQ(item.at("min_time_seconds").as_double(), 0.25);
    EXPECT_DOUBLE_EQ(item.at("max_time_seconds").as_double(), 0.75);
    EXPECT_NEAR(item.at("p50_time_seconds").as_double(), 0.25, 0.025);
    EXPECT_NEAR(item.at("p95_time_seconds").as_double(), 0.75, 0.075);
    EXPECT_NEAR(item.at("p99_time_seconds").as_double(), 0.75, 0.075);
    EXPECT_DOUBLE_EQ(item.at("wait_time_seconds").as_double(), 0.002);
    EXPECT_EQ(item.at("p50_wait_seconds").as_double(), 0);
    EXPECT_NEAR(item.at("p99_wait_seconds").as_double(), 0.002, 0.0002);
    EXPECT_EQ(item.at("first_seen_seconds").as_double(), 1'700'000'000.0);
    EXPECT_EQ(item.at("last_seen_seconds").as_double(), 1'700'000'009.0);
    EXPECT_EQ(item.at("last_trace_id"), json::value(trace));
}

// Members of an object, in their order.
std::vector<std::string> members(const json::object& object) {
    std::vector<std::string> names;
    for (const auto& member : object) names.emplace_back(member.key());
    return names;
}

TEST(Queries, have_the_members_that_the_documentation_shows) {
    std::ifstream file(PGSLUICE_SOURCE_DIR "/docs/operations.md");
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const std::string fence = "```json\n";
    const std::size_t begin = text.find(fence, text.find("### Statistics of queries\n")) + fence.size();
    const json::object shown = json::parse(text.substr(begin, text.find("```", begin) - begin)).as_object();
    insight::Picture picture;
    picture.queries.push_back(query(1, ""));
    const json::object out = told(picture);
    EXPECT_EQ(members(out), members(shown));
    EXPECT_EQ(members(out.at("queries").at(0).as_object()), members(shown.at("queries").at(0).as_object()));
}

TEST(Queries, without_a_trace_say_so) {
    insight::Picture picture;
    picture.queries.push_back(query(1, ""));
    picture.queries.back().add(insight::Call{});
    EXPECT_TRUE(told(picture).at("queries").at(0).at("last_trace_id").is_null());
}

TEST(Queries, come_in_the_order_and_number_that_was_asked_for) {
    insight::Picture picture;
    for (std::uint64_t each = 1; each <= 3; ++each) {
        Statistics& made = picture.queries.emplace_back(query(each, ""));
        for (std::uint64_t call = 0; call < each; ++call) made.add({.server_time = Milliseconds(100 / each)});
    }
    const auto first = [&](QueriesWanted wanted) {
        return json::serialize(told(picture, wanted).at("queries").at(0).at("fingerprint"));
    };
    EXPECT_EQ(first({Order::calls, 50}), "\"0000000000000003\"");
    EXPECT_EQ(first({Order::mean_time, 50}), "\"0000000000000001\"");
    EXPECT_EQ(told(picture, {Order::calls, 2}).at("queries").as_array().size(), 2u);
    EXPECT_EQ(told(picture, {Order::calls, 2}).at("known"), 3);
}

TEST(Queries, are_utf8_whatever_their_encoding) {
    insight::Picture picture;
    picture.queries.push_back(query(1, "SELECT caf\xE9, na\xC3\xAFve"));
    picture.queries.back().add(insight::Call{});
    EXPECT_EQ(told(picture).at("queries").at(0).at("text"), "SELECT caf\xEF\xBF\xBD, na\xC3\xAFve");
}

TEST(Queries, parameters_of_a_request_are_read) {
    const auto wanted = [](std::string_view text) { return std::get<QueriesWanted>(read_queries_wanted(text)); };
    EXPECT_EQ(wanted("").order, Order::total_time);
    EXPECT_EQ(wanted("").limit, 50u);
    EXPECT_EQ(wanted("order=wait_time").order, Order::wait_time);
    EXPECT_EQ(wanted("limit=1000&order=calls").limit, 1000u);
    EXPECT_EQ(wanted("limit=1000&order=calls").order, Order::calls);
    EXPECT_EQ(wanted("limit=1&").limit, 1u);
}

TEST(Queries, parameters_that_are_wrong_are_told_in_a_sentence_that_repeats_none_of_them) {
    const auto refusal = [](std::string_view text) { return std::get<std::string>(read_queries_wanted(text)); };
    for (const char* limit : {"limit", "limit=", "limit=0", "limit=1001", "limit=-1", "limit=5x", "limit= 5",
                              "limit=99999999999999999999999", "limit=%35"})
        EXPECT_EQ(refusal(limit), "limit is a number from 1 to 1000") << limit;
    for (const char* order : {"order", "order=", "order=time", "order=CALLS", "order=calls;", "order==calls"})
        EXPECT_EQ(refusal(order),
                  "order is one of total_time, mean_time, calls, rows, bytes, errors, wait_time, last_seen")
            << order;
    for (const char* other : {"sort=calls", "&", "=5", "order=calls&canary", "?limit=5"})
        EXPECT_EQ(refusal(other), "there are the parameters order and limit, each with a value") << other;
}

TEST(Queries, stand_in_a_table_whose_lines_fit_a_terminal) {
    View view;
    for (std::uint64_t each = 1; each <= 60; ++each) {
        Statistics& made =
            view.queries.queries.emplace_back(query(each, "SELECT  *\n  FROM \"a\x1B[31m\"\tWHERE a = $1"));
        made.add({.server_time = Milliseconds(each), .wait = 15us, .at = WallTime(1'700'000'000s)});
    }
    const config::Config config;
    const ShownTable& table = *find_table("queries");
    const std::vector<Row> rows = table.rows({view, config, "0.1.0"});
    ASSERT_EQ(rows.size(), 50u);
    const Columns shown = columns(table.columns);
    ASSERT_EQ(rows.front().size(), shown.size());
    const auto cell_of = [&](std::string_view name) {
        std::size_t i = 0;
        while (shown[i].name != name) ++i;
        return rows.front()[i].value_or("NULL");
    };
    EXPECT_EQ(cell_of("fingerprint"), "000000000000003c");
    EXPECT_EQ(cell_of("calls"), "1");
    EXPECT_EQ(cell_of("total_time"), "60000");
    EXPECT_EQ(cell_of("p99_time"), "60000");
    EXPECT_EQ(cell_of("wait_time"), "15");
    EXPECT_EQ(cell_of("last_seen"), "2023-11-14 22:13:20 UTC");
    EXPECT_EQ(cell_of("text"), "SELECT * FROM \"a\\x1b[31m\" WHERE a = $1");
    EXPECT_EQ(table.look, Look::with_queries);
    EXPECT_EQ(table.least, Role::stats);
}

TEST(Queries, of_several_workers_are_one_when_their_views_are_added) {
    View all, other;
    for (View* each : {&all, &other}) {
        each->queries.evicted = 2;
        each->queries.queries.push_back(query(1, "SELECT $1"));
        each->queries.queries.back().add({.server_time = 1ms});
    }
    all.add(std::move(other));
    ASSERT_EQ(all.queries.queries.size(), 1u);
    EXPECT_EQ(all.queries.queries.front().calls, 2u);
    EXPECT_EQ(all.queries.evicted, 4u);
}

}  // namespace
}  // namespace pgsluice::admin
