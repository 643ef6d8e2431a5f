#include <pgsluice/insight/query_table.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace pgsluice::insight {
namespace {

using namespace std::chrono_literals;

constexpr SipKey seed{3, 5};

WallTime second(std::int64_t number) {
    return WallTime(std::chrono::seconds(number));
}

Key key(std::uint64_t fingerprint) {
    return {fingerprint, "orders", "app"};
}

std::size_t count(const QueryTable& table, std::uint64_t fingerprint) {
    const Picture picture = table.picture();
    return static_cast<std::size_t>(
        std::count_if(picture.queries.begin(), picture.queries.end(),
                      [&](const Statistics& each) { return each.query->fingerprint == fingerprint; }));
}

TEST(QueryTable, adds_up_the_calls_of_a_query) {
    QueryTable table(seed, 10);
    table.record(key(1), {.server_time = 4ms, .wait = 1ms, .rows = 2, .bytes = 100, .at = second(7)}, "SELECT $1");
    table.record(key(1), {.server_time = 2ms, .rows = 3, .bytes = 50, .failed = true, .at = second(9)}, "SELECT $1");
    const Picture picture = table.picture();
    ASSERT_EQ(picture.queries.size(), 1u);
    const Statistics& told = picture.queries.front();
    EXPECT_EQ(told.query->fingerprint, 1u);
    EXPECT_EQ(told.query->route, "orders");
    EXPECT_EQ(told.query->user, "app");
    EXPECT_EQ(told.query->text, "SELECT $1");
    EXPECT_FALSE(told.query->is_cut);
    EXPECT_EQ(told.calls, 2u);
    EXPECT_EQ(told.errors, 1u);
    EXPECT_EQ(told.rows, 5u);
    EXPECT_EQ(told.bytes, 150u);
    EXPECT_EQ(told.total_time, 6ms);
    EXPECT_EQ(told.min_time, 2ms);
    EXPECT_EQ(told.max_time, 4ms);
    EXPECT_EQ(told.mean_time(), 3ms);
    EXPECT_EQ(told.wait_time, 1ms);
    EXPECT_EQ(told.first_seen, second(7));
    EXPECT_EQ(told.last_seen, second(9));
}

TEST(QueryTable, tells_queries_apart_by_fingerprint_route_and_user) {
    QueryTable table(seed, 10);
    table.record({1, "orders", "app"}, {}, "");
    table.record({2, "orders", "app"}, {}, "");
    table.record({1, "bills", "app"}, {}, "");
    table.record({1, "orders", "report"}, {}, "");
    table.record({1, "orders", "app"}, {}, "");
    EXPECT_EQ(table.size(), 4u);
}

TEST(QueryTable, keeps_names_and_text_beyond_the_call) {
    QueryTable table(seed, 10);
    {
        std::string route = "a route with a rather long name", text = "SELECT a_rather_long_name";
        table.record({1, route, "app"}, {}, text);
        route.assign(route.size(), 'x');
        text.assign(text.size(), 'x');
    }
    EXPECT_EQ(table.picture().queries.front().query->route, "a route with a rather long name");
    EXPECT_EQ(table.picture().queries.front().query->text, "SELECT a_rather_long_name");
}

TEST(QueryTable, quantiles_do_not_leave_the_range_of_the_calls) {
    QueryTable table(seed, 10);
    for (int i = 0; i < 100; ++i) table.record(key(1), {.server_time = 5'100us, .wait = 20us}, "");
    const Statistics told = table.picture().queries.front();
    EXPECT_EQ(told.time_quantile(0.5), 5'100us);
    EXPECT_EQ(told.time_quantile(0.99), 5'100us);
    EXPECT_NEAR(told.wait_quantile(0.95).count(), 20, 2);
}

TEST(QueryTable, keeps_the_last_trace_that_was_named) {
    QueryTable table(seed, 10);
    const std::string first(32, 'a'), second(32, 'b');
    table.record(key(1), {}, "");
    EXPECT_EQ(table.picture().queries.front().last_trace_id(), "");
    table.record(key(1), {.trace_id = first}, "");
    table.record(key(1), {.trace_id = second}, "");
    table.record(key(1), {}, "");
    table.record(key(1), {.trace_id = "short"}, "");
    EXPECT_EQ(table.picture().queries.front().last_trace_id(), second);
}

TEST(QueryTable, cuts_a_long_text_between_characters) {
    QueryTable table(seed, 10);
    const std::string euro = "\xE2\x82\xAC", exact(longest_text, 'x');
    table.record(key(1), {}, exact);
    table.record(key(2), {}, exact + "y");
    table.record(key(3), {}, exact.substr(1) + euro);
    table.record(key(4), {}, exact.substr(2) + euro);
    table.record(key(5), {}, exact.substr(3) + euro + "y");
    for (const Statistics& each : table.picture().queries) {
        const std::string& text = each.query->text;
        switch (each.query->fingerprint) {
            case 1: EXPECT_EQ(text, exact); break;
            case 2: EXPECT_EQ(text, exact); break;
            case 3: EXPECT_EQ(text, exact.substr(1)); break;
            case 4: EXPECT_EQ(text, exact.substr(2)); break;
            default: EXPECT_EQ(text, exact.substr(3) + euro); break;
        }
        EXPECT_EQ(each.query->is_cut, each.query->fingerprint != 1);
    }
}

TEST(QueryTable, holds_no_more_than_its_capacity_and_counts_what_made_room) {
    QueryTable table(seed, 64);
    for (std::uint64_t each = 0; each < 1000; ++each) table.record(key(each), {}, "");
    EXPECT_LE(table.size(), 64u);
    EXPECT_GE(table.size(), 60u);
    EXPECT_EQ(table.picture().evicted, 1000u - table.size());
    EXPECT_EQ(count(table, 999), 1u);
}

TEST(QueryTable, what_is_called_often_or_takes_long_outlives_what_came_once) {
    QueryTable table(seed, 64);
    for (int i = 0; i < 10; ++i) table.record(key(1), {}, "");
    table.record(key(2), {.server_time = 10ms}, "");
    for (std::uint64_t each = 10; each < 200; ++each) table.record(key(each), {}, "");
    EXPECT_EQ(count(table, 1), 1u);
    EXPECT_EQ(count(table, 2), 1u);
}

TEST(QueryTable, what_is_not_called_any_more_gives_way_in_the_end) {
    QueryTable table(seed, 16);
    for (int i = 0; i < 1000; ++i) table.record(key(1), {}, "");
    for (std::uint64_t each = 10; each < 200; ++each) table.record(key(each), {}, "");
    EXPECT_EQ(count(table, 1), 0u);
}

TEST(QueryTable, of_those_worth_the_same_the_one_not_seen_for_longest_goes) {
    QueryTable table(seed, 2);
    table.record(key(1), {.at = second(5)}, "");
    table.record(key(2), {.at = second(4)}, "");
    table.record(key(3), {.at = second(6)}, "");
    EXPECT_EQ(count(table, 1), 1u);
    EXPECT_EQ(count(table, 2), 0u);
    EXPECT_EQ(count(table, 3), 1u);
}

TEST(QueryTable, a_table_of_one_has_the_last_query) {
    QueryTable table(seed, 1);
    for (std::uint64_t each = 0; each < 5; ++each) table.record(key(each), {}, "");
    EXPECT_EQ(table.size(), 1u);
    EXPECT_EQ(count(table, 4), 1u);
}

TEST(QueryTable, a_smaller_capacity_evicts_at_once_and_a_larger_one_forgets_nothing) {
    QueryTable table(seed, 100);
    for (std::uint64_t each = 0; each < 100; ++each) table.record(key(each), {}, "");
    table.record(key(7), {}, "");
    table.set_capacity(10);
    EXPECT_EQ(table.size(), 10u);
    EXPECT_EQ(table.picture().evicted, 90u);
    EXPECT_EQ(count(table, 7), 1u);
    table.set_capacity(200);
    EXPECT_EQ(table.size(), 10u);
}

TEST(QueryTable, one_that_is_off_keeps_nothing) {
    QueryTable table(seed, 0);
    EXPECT_FALSE(table.is_on());
    table.record(key(1), {}, "SELECT $1");
    EXPECT_EQ(table.size(), 0u);
    table.set_capacity(5);
    EXPECT_TRUE(table.is_on());
    table.record(key(1), {}, "SELECT $1");
    table.set_capacity(0);
    EXPECT_EQ(table.size(), 0u);
    EXPECT_EQ(table.picture().evicted, 0u);
}

TEST(QueryTable, reset_forgets_queries_and_evictions) {
    QueryTable table(seed, 1);
    table.record(key(1), {}, "");
    table.record(key(2), {}, "");
    table.reset();
    EXPECT_EQ(table.size(), 0u);
    EXPECT_EQ(table.picture().evicted, 0u);
    table.record(key(2), {}, "");
    EXPECT_EQ(table.picture().queries.front().calls, 1u);
}

TEST(QueryTable, a_picture_stays_as_it_was_taken) {
    QueryTable table(seed, 1);
    table.record(key(1), {}, "SELECT $1");
    const Picture picture = table.picture();
    table.record(key(1), {}, "");
    table.record(key(2), {}, "");
    EXPECT_EQ(picture.queries.front().calls, 1u);
    EXPECT_EQ(picture.queries.front().query->text, "SELECT $1");
}

}  // namespace
}  // namespace pgsluice::insight
