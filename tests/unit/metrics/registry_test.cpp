#include "unit/metrics/scrape.hpp"

#include <pgsluice/metrics/registry.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace pgsluice::metrics {
namespace {

using testing::Scrape;

const TimePoint now = TimePoint(std::chrono::seconds(1000));

class RegistryTest : public ::testing::Test {
  protected:
    Scrape scrape() { return Scrape(registry_.exposition(now)); }

    Registry registry_{{.version = "1.2.3", .max_series = 2}};
    WorkerSets& first_ = registry_.add_worker(WorkerIndex{0});
    WorkerSets& second_ = registry_.add_worker(WorkerIndex{1});
};

TEST_F(RegistryTest, SumsASetOverTheWorkers) {
    first_.route("orders").queries[QueryKind::simple].add(3);
    second_.route("orders").queries[QueryKind::simple].add(4);
    second_.route("billing").queries[QueryKind::simple].add();
    const Scrape seen = scrape();
    EXPECT_EQ(seen.problems, std::vector<std::string>{});
    EXPECT_EQ(seen.value(R"(pgsluice_queries_total{route="orders",kind="simple"})"), 7);
    EXPECT_EQ(seen.value(R"(pgsluice_queries_total{route="billing",kind="simple"})"), 1);
    EXPECT_EQ(seen.value(R"(pgsluice_queries_total{route="orders",kind="function_call"})"), 0);
}

TEST_F(RegistryTest, GivesTheSameSetForTheSameLabels) {
    EXPECT_EQ(&first_.route("orders"), &first_.route("orders"));
    EXPECT_NE(&first_.route("orders"), &second_.route("orders"));
    EXPECT_EQ(&first_.pool({"r", "s:1", "d", "u"}), &first_.pool({"r", "s:1", "d", "u"}));
    EXPECT_EQ(&first_.server({"main", "s:1"}), &first_.server({"main", "s:1"}));
    EXPECT_EQ(&first_.rule({"no-delete", "block", "enforce"}), &first_.rule({"no-delete", "block", "enforce"}));
}

TEST_F(RegistryTest, PrintsHistogramsCumulativeInSeconds) {
    first_.route("orders").query_seconds.observe(Microseconds(40));
    second_.route("orders").query_seconds.observe(Microseconds(1500));
    second_.route("orders").query_seconds.observe(std::chrono::seconds(90));
    const Scrape seen = scrape();
    EXPECT_EQ(seen.value(R"(pgsluice_query_seconds_bucket{route="orders",le="5e-05"})"), 1);
    EXPECT_EQ(seen.value(R"(pgsluice_query_seconds_bucket{route="orders",le="0.001"})"), 1);
    EXPECT_EQ(seen.value(R"(pgsluice_query_seconds_bucket{route="orders",le="0.002"})"), 2);
    EXPECT_EQ(seen.value(R"(pgsluice_query_seconds_bucket{route="orders",le="60"})"), 2);
    EXPECT_EQ(seen.value(R"(pgsluice_query_seconds_bucket{route="orders",le="+Inf"})"), 3);
    EXPECT_EQ(seen.value(R"(pgsluice_query_seconds_count{route="orders"})"), 3);
    EXPECT_NEAR(seen.value(R"(pgsluice_query_seconds_sum{route="orders"})"), 90.00154, 1e-9);
}

TEST_F(RegistryTest, APoolsLimitIsOneOverAllWorkersAndItsOldestWaiterIsTheOldestOfAny) {
    const PoolLabels labels{"orders", "10.0.0.1:5432", "orders", "app"};
    const std::string printed = R"({route="orders",server="10.0.0.1:5432",database="orders",user="app")";
    for (WorkerSets* worker : {&first_, &second_}) {
        worker->pool(labels).size_limit.add(20);
        worker->pool(labels).servers[ServerState::idle].add(3);
        worker->pool(labels).waiters.add();
    }
    first_.pool(labels).oldest_waiter.set(now - std::chrono::milliseconds(2500));
    second_.pool(labels).oldest_waiter.set(now - std::chrono::milliseconds(500));
    const Scrape seen = scrape();
    EXPECT_EQ(seen.value("pgsluice_pool_size_limit" + printed + "}"), 20);
    EXPECT_EQ(seen.value("pgsluice_waiters" + printed + "}"), 2);
    EXPECT_EQ(seen.value("pgsluice_servers" + printed + R"(,state="idle"})"), 6);
    EXPECT_EQ(seen.value("pgsluice_oldest_waiter_seconds" + printed + "}"), 2.5);
}

TEST_F(RegistryTest, APoolThatIsGoneLeavesNoSeries) {
    PoolMetrics& pool = first_.pool({"orders", "s:1", "orders", "app"});
    pool.size_limit.add(20);
    EXPECT_EQ(scrape().families.count("pgsluice_pool_size_limit"), 1u);
    pool.size_limit.sub(20);
    EXPECT_EQ(scrape().families.count("pgsluice_pool_size_limit"), 0u);
}

TEST_F(RegistryTest, PairsBeyondTheLimitShareTheLabelOther) {
    first_.user({"d1", "u"}).queries.add();
    first_.pool({"r", "s:1", "d2", "u"}).size_limit.add(1);
    EXPECT_EQ(&first_.user({"d3", "u"}), &first_.user({"d4", "u"}));
    first_.user({"d3", "u"}).queries.add(5);
    second_.user({"d4", "v"}).queries.add(6);
    second_.user({"d2", "u"}).queries.add(2);
    first_.pool({"r", "s:1", "d5", "u"}).size_limit.add(7);
    const Scrape seen = scrape();
    EXPECT_EQ(seen.value(R"(pgsluice_user_queries_total{database="d1",user="u"})"), 1);
    EXPECT_EQ(seen.value(R"(pgsluice_user_queries_total{database="d2",user="u"})"), 2);
    EXPECT_EQ(seen.value(R"(pgsluice_user_queries_total{database="other",user="other"})"), 11);
    EXPECT_EQ(seen.value(R"(pgsluice_pool_size_limit{route="r",server="s:1",database="other",user="other"})"), 7);
    EXPECT_EQ(seen.families.at("pgsluice_user_queries_total").samples.size(), 3u);
}

TEST_F(RegistryTest, ARaisedLimitAdmitsNewPairs) {
    first_.user({"d1", "u"});
    first_.user({"d2", "u"});
    UserMetrics& other = first_.user({"d3", "u"});
    registry_.set_max_series(3);
    EXPECT_NE(&first_.user({"d3", "u"}), &other);
    registry_.set_max_series(0);
    EXPECT_NE(&first_.user({"d1", "u"}), &other);
    EXPECT_EQ(&first_.user({"d9", "u"}), &other);
}

TEST_F(RegistryTest, HostileLabelsCannotBreakTheScrape) {
    first_.user({"a\"b\\c\nd", "\xff\xfe\x01}"}).queries.add();
    first_.user({std::string(4000, 'x'), "u"}).queries.add();
    const Scrape seen = scrape();
    EXPECT_EQ(seen.problems, std::vector<std::string>{});
    EXPECT_EQ(
        seen.value("pgsluice_user_queries_total{database=\"a\\\"b\\\\\\\\c\\\\x0ad\",user=\"\\\\xff\\\\xfe\\\\x01}\"}"),
        1);
    for (const auto& [sample, value] : seen.families.at("pgsluice_user_queries_total").samples)
        EXPECT_LT(sample.size(), 300u);
}

TEST_F(RegistryTest, CountsErrorsByClassAndOrigin) {
    first_.worker().errors.count(ErrorOrigin::server, "23505");
    second_.worker().errors.count(ErrorOrigin::server, "23503");
    second_.worker().errors.count(ErrorOrigin::pgsluice, "53300");
    const Scrape seen = scrape();
    EXPECT_EQ(seen.value(R"(pgsluice_errors_total{origin="server",class="23"})"), 2);
    EXPECT_EQ(seen.value(R"(pgsluice_errors_total{origin="pgsluice",class="53"})"), 1);
    EXPECT_EQ(seen.families.at("pgsluice_errors_total").samples.size(), 2u);
}

TEST_F(RegistryTest, ShowsEachWorkersLoop) {
    first_.worker().last_tick.set(now - std::chrono::seconds(3));
    second_.worker().clients.add();
    second_.worker().clients.add();
    second_.worker().clients.sub();
    const Scrape seen = scrape();
    EXPECT_EQ(seen.value(R"(pgsluice_worker_last_tick_age_seconds{worker="0"})"), 3);
    EXPECT_EQ(seen.value(R"(pgsluice_worker_clients{worker="1"})"), 1);
    ASSERT_EQ(registry_.last_ticks().size(), 2u);
    EXPECT_EQ(registry_.last_ticks()[0], now - std::chrono::seconds(3));
    EXPECT_EQ(registry_.last_ticks()[1], std::nullopt);
}

TEST_F(RegistryTest, ShowsTheProcess) {
    registry_.process().reloads[Outcome::failure].add();
    registry_.process().log.dropped.add(9);
    registry_.set_certificates({{"listener", "0.0.0.0:5432", "/etc/pgsluice/server.crt", 1893456000}});
    const Scrape seen = scrape();
    EXPECT_EQ(seen.value(R"(pgsluice_build_info{version="1.2.3"})"), 1);
    EXPECT_EQ(seen.value(R"(pgsluice_reloads_total{outcome="failure"})"), 1);
    EXPECT_EQ(seen.value("pgsluice_log_lines_dropped_total"), 9);
    EXPECT_EQ(seen.value(R"(pgsluice_certificate_expiry_timestamp_seconds{use="listener",name="0.0.0.0:5432",)"
                         R"(file="/etc/pgsluice/server.crt"})"),
              1893456000);
    EXPECT_GT(seen.value("process_cpu_seconds_total"), 0);
    EXPECT_GT(seen.value("process_resident_memory_bytes"), 1 << 20);
    EXPECT_GT(seen.value("process_open_fds"), 2);
    EXPECT_GE(seen.value("process_max_fds"), seen.value("process_open_fds"));
    const double age = static_cast<double>(std::time(nullptr)) - seen.value("process_start_time_seconds");
    EXPECT_GT(age, -2);
    EXPECT_LT(age, 3600);
}

// Meant for ThreadSanitizer; elsewhere it shows that totals never fall while sets are made and written.
TEST_F(RegistryTest, ScrapesWhileWorkersWriteAndMakeSets) {
    constexpr int rounds = 2000;
    const auto work = [](WorkerSets& worker) {
        for (int i = 0; i < rounds; ++i) {
            RouteMetrics& route = worker.route("route" + std::to_string(i % 50));
            route.queries[QueryKind::simple].add();
            route.query_seconds.observe(Microseconds(i));
            worker.worker().last_tick.set(now);
            worker.worker().errors.count(ErrorOrigin::server, "23505");
            worker.user({"d" + std::to_string(i % 4), "u"}).clients.add();
            worker.pool({"r", "s:1", "d" + std::to_string(i % 4), "u"}).size_limit.add();
        }
    };
    std::thread one(work, std::ref(first_)), two(work, std::ref(second_));
    double last = 0;
    const auto total = [&] {
        double sum = 0;
        const Scrape seen = scrape();
        EXPECT_EQ(seen.problems, std::vector<std::string>{});
        if (const auto found = seen.families.find("pgsluice_queries_total"); found != seen.families.end())
            for (const auto& [sample, value] : found->second.samples) sum += value;
        return sum;
    };
    for (int i = 0; i < 20; ++i) {
        const double seen = total();
        EXPECT_GE(seen, last);
        last = seen;
    }
    one.join();
    two.join();
    EXPECT_EQ(total(), 2 * rounds);
}

}  // namespace
}  // namespace pgsluice::metrics
