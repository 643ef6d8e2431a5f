#include <pgsluice/insight/picture.hpp>

#include <gtest/gtest.h>

#include <initializer_list>
#include <utility>

namespace pgsluice::insight {
namespace {

using namespace std::chrono_literals;

Statistics query(std::uint64_t fingerprint, std::initializer_list<Call> calls, std::string user = "app") {
    Statistics statistics;
    statistics.query = std::make_shared<const Query>(Query{fingerprint, "orders", std::move(user), "SELECT $1", false});
    for (const Call& call : calls) statistics.add(call);
    return statistics;
}

std::vector<std::uint64_t> fingerprints(const std::vector<Statistics>& queries, Order order, std::size_t limit = 100) {
    std::vector<std::uint64_t> found;
    for (const Statistics* each : sorted(queries, order, limit)) found.push_back(each->query->fingerprint);
    return found;
}

using Fingerprints = std::vector<std::uint64_t>;

TEST(Picture, what_workers_know_of_the_same_query_is_added_up) {
    const std::string trace(32, 'c'), later(32, 'd');
    std::vector<Picture> pictures(2);
    pictures[0].evicted = 2;
    pictures[0].queries.push_back(query(1, {{.server_time = 10ms,
                                             .wait = 1ms,
                                             .rows = 1,
                                             .bytes = 10,
                                             .failed = true,
                                             .at = WallTime(5s),
                                             .trace_id = trace}}));
    pictures[1].evicted = 3;
    pictures[1].queries.push_back(query(2, {{}}));
    pictures[1].queries.push_back(query(1, {{}}, "report"));
    pictures[1].queries.push_back(
        query(1, {{.server_time = 30ms, .rows = 2, .bytes = 5, .at = WallTime(8s), .trace_id = later}}));
    const Picture merged = merge(std::move(pictures));
    EXPECT_EQ(merged.evicted, 5u);
    ASSERT_EQ(merged.queries.size(), 3u);
    const Statistics& sum = merged.queries.front();
    EXPECT_EQ(sum.calls, 2u);
    EXPECT_EQ(sum.errors, 1u);
    EXPECT_EQ(sum.rows, 3u);
    EXPECT_EQ(sum.bytes, 15u);
    EXPECT_EQ(sum.total_time, 40ms);
    EXPECT_EQ(sum.min_time, 10ms);
    EXPECT_EQ(sum.max_time, 30ms);
    EXPECT_EQ(sum.wait_time, 1ms);
    EXPECT_EQ(sum.first_seen, WallTime(5s));
    EXPECT_EQ(sum.last_seen, WallTime(8s));
    EXPECT_EQ(sum.last_trace_id(), later);
    EXPECT_NEAR(sum.time_quantile(0.99).count(), 30'000, 3'000);
    EXPECT_NEAR(sum.time_quantile(0.5).count(), 10'000, 1'000);
}

TEST(Picture, the_trace_of_the_call_that_was_later_stays) {
    const std::string trace(32, 'c');
    std::vector<Picture> pictures(2);
    pictures[0].queries.push_back(query(1, {{.at = WallTime(8s), .trace_id = trace}}));
    pictures[1].queries.push_back(query(1, {{.at = WallTime(9s)}}));
    EXPECT_EQ(merge(pictures).queries.front().last_trace_id(), trace);
    std::swap(pictures[0], pictures[1]);
    EXPECT_EQ(merge(pictures).queries.front().last_trace_id(), trace);
}

TEST(Picture, each_order_begins_with_the_greatest) {
    const std::vector<Statistics> queries{
        query(1, {{.server_time = 50ms, .bytes = 1, .at = WallTime(3s)}}),
        query(2, {{.server_time = 40ms, .rows = 9, .at = WallTime(2s)}, {.server_time = 40ms, .at = WallTime(2s)}}),
        query(3, {{.wait = 2ms, .bytes = 9, .failed = true, .at = WallTime(9s)}, {.failed = true}, {}}),
    };
    EXPECT_EQ(fingerprints(queries, Order::total_time), (Fingerprints{2, 1, 3}));
    EXPECT_EQ(fingerprints(queries, Order::mean_time), (Fingerprints{1, 2, 3}));
    EXPECT_EQ(fingerprints(queries, Order::calls), (Fingerprints{3, 2, 1}));
    EXPECT_EQ(fingerprints(queries, Order::rows), (Fingerprints{2, 1, 3}));
    EXPECT_EQ(fingerprints(queries, Order::bytes), (Fingerprints{3, 1, 2}));
    EXPECT_EQ(fingerprints(queries, Order::errors), (Fingerprints{3, 1, 2}));
    EXPECT_EQ(fingerprints(queries, Order::wait_time), (Fingerprints{3, 1, 2}));
    EXPECT_EQ(fingerprints(queries, Order::last_seen), (Fingerprints{3, 1, 2}));
}

TEST(Picture, equal_ones_stand_by_their_fingerprint_wherever_they_came_from) {
    EXPECT_EQ(fingerprints({query(3, {{}}), query(1, {{}}), query(2, {{}})}, Order::calls), (Fingerprints{1, 2, 3}));
}

TEST(Picture, the_limit_cuts_behind_the_order) {
    const std::vector<Statistics> queries{query(1, {{}}), query(2, {{}, {}}), query(3, {{}, {}, {}})};
    EXPECT_EQ(fingerprints(queries, Order::calls, 2), (Fingerprints{3, 2}));
    EXPECT_EQ(fingerprints(queries, Order::calls, 0), Fingerprints{});
}

TEST(Picture, orders_are_known_by_their_names) {
    EXPECT_EQ(order_of("total_time"), Order::total_time);
    EXPECT_EQ(order_of("last_seen"), Order::last_seen);
    EXPECT_EQ(order_of("Total_Time"), std::nullopt);
    EXPECT_EQ(order_of(""), std::nullopt);
}

}  // namespace
}  // namespace pgsluice::insight
