// What each worker of a World has for itself: caches, metrics, and its part of the pool.
#pragma once

#include <pgsluice/session/session.hpp>

#include <support/fake_pool_host.hpp>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace pgsluice::test {

struct WorldWorker {
    WorldWorker(session::Host& host, FakeClock& clock, std::size_t number)
        : index(static_cast<WorkerIndex>(number)),
          pools(clock),
          statements(
              {1, 2}, [](ByteView text) { return static_cast<std::uint8_t>(sql::session_effect(text)); }, number),
          context{host, statements, pools.parameters(), metrics, facts, shortlists} {}

    void open_pool(std::shared_ptr<const pool::Target> target, const std::shared_ptr<pool::Share>& share) {
        pool = std::make_unique<pool::Pool>(
            pool::Pool::Setup{"pool", std::move(target), share, index, &pools, &pools.pool_metrics()});
    }
    // Puts those that `shown` has not seen behind the others; one that has moved here it has.
    void show_new_servers(std::vector<FakeServer*>& shown) {
        for (; shown_ < pools.servers(); ++shown_) {
            FakeServer* const each = &pools.server(shown_);
            if (std::find(shown.begin(), shown.end(), each) == shown.end()) shown.push_back(each);
        }
    }

    const WorkerIndex index;
    metrics::WorkerMetrics metrics;
    metrics::RouteMetrics route_metrics;
    FakePoolHost pools;
    protocol::StatementCache statements;  // outlives the pool
    sql::FactsCache facts{{1, 2}, {}};
    policy::Shortlists shortlists;
    session::Context context;
    std::unique_ptr<pool::Pool> pool;

  private:
    std::size_t shown_ = 0;
};

}  // namespace pgsluice::test
