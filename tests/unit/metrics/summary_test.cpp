#include <pgsluice/metrics/registry.hpp>

#include <gtest/gtest.h>

namespace pgsluice::metrics {
namespace {

class SummaryTest : public ::testing::Test {
  protected:
    Registry registry_{{.version = "1.2.3"}};
    WorkerSets& first_ = registry_.add_worker(WorkerIndex{0});
    WorkerSets& second_ = registry_.add_worker(WorkerIndex{1});
};

TEST_F(SummaryTest, SumsRoutesOverTheWorkersAndKindsOfQueries) {
    first_.route("orders").queries[QueryKind::simple].add(3);
    second_.route("orders").queries[QueryKind::extended_execute].add(4);
    second_.route("orders").transactions.add(2);
    first_.route("orders").bytes[Direction::server_out].add(7);
    first_.route("billing");
    const Summary summary = registry_.summary();
    ASSERT_EQ(summary.routes.size(), 2u);
    const Summary::Route& orders = summary.routes.at("orders");
    EXPECT_EQ(orders.queries, 7u);
    EXPECT_EQ(orders.transactions, 2u);
    EXPECT_EQ(orders.bytes, (std::array<std::uint64_t, 4>{0, 0, 0, 7}));
    EXPECT_EQ(summary.routes.at("billing").queries, 0u);
}

TEST_F(SummaryTest, HasTheClassesOfErrorsThatOccurred) {
    first_.worker().errors.count(ErrorOrigin::server, "42601");
    second_.worker().errors.count(ErrorOrigin::server, "42P01");
    second_.worker().errors.count(ErrorOrigin::pgsluice, "!!");
    const auto errors = registry_.summary().errors;
    ASSERT_EQ(errors.size(), 2u);
    EXPECT_EQ(errors[0].origin, ErrorOrigin::pgsluice);
    EXPECT_EQ(errors[0].sqlstate_class, "other");
    EXPECT_EQ(errors[1].origin, ErrorOrigin::server);
    EXPECT_EQ(errors[1].sqlstate_class, "42");
    EXPECT_EQ(errors[1].count, 2u);
}

TEST_F(SummaryTest, SumsVerdictsByRule) {
    first_.rule({"no-delete", "block", "enforce"}).verdicts.add(2);
    second_.rule({"no-delete", "block", "enforce"}).verdicts.add();
    first_.rule({"no-delete", "block", "shadow"}).verdicts.add();
    const auto verdicts = registry_.summary().verdicts;
    EXPECT_EQ(verdicts.at({"no-delete", "block", "enforce"}), 3u);
    EXPECT_EQ(verdicts.at({"no-delete", "block", "shadow"}), 1u);
}

}  // namespace
}  // namespace pgsluice::metrics
