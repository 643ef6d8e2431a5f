// Knows every set of counters and prints their sums over the workers in Prometheus' text format. It locks where a set
// is made and where the list of sets is copied for a scrape, never where a counter moves. Sets are never freed: a route
// or pool that a reload removes keeps its totals, and references stay valid as long as the registry.
#pragma once

#include <pgsluice/base/ids.hpp>
#include <pgsluice/base/time.hpp>
#include <pgsluice/metrics/process.hpp>
#include <pgsluice/metrics/sets.hpp>
#include <pgsluice/metrics/summary.hpp>

#include <compare>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::metrics {

struct PoolLabels {
    std::string route, server, database, user;  // server: "host:port"
    friend auto operator<=>(const PoolLabels&, const PoolLabels&) = default;
};

struct ServerLabels {
    std::string cluster, server;  // server: "host:port"
    friend auto operator<=>(const ServerLabels&, const ServerLabels&) = default;
};

struct UserLabels {
    std::string database, user;
    friend auto operator<=>(const UserLabels&, const UserLabels&) = default;
};

class Shelves;  // where the sets stand

// One worker's way to its sets: worker thread only. The same labels give the same set again. Looking one up costs a
// string search and, the first time, a lock: keep the reference.
class WorkerSets {
  public:
    WorkerSets(const WorkerSets&) = delete;
    WorkerSets& operator=(const WorkerSets&) = delete;
    ~WorkerSets();

    WorkerMetrics& worker() { return worker_; }
    RouteMetrics& route(std::string_view name);
    ServerMetrics& server(const ServerLabels& labels);
    RuleMetrics& rule(const RuleLabels& labels);
    // Beyond max_series pairs of database and user both are `other`, and their pools and clients share a set. Call them
    // once the user is authenticated, and user() once a server has accepted the database, or strangers fill the table.
    PoolMetrics& pool(const PoolLabels& labels);
    UserMetrics& user(const UserLabels& labels);

  private:
    friend class Registry;
    struct Known;
    WorkerSets(Shelves& shelves, WorkerMetrics& worker);

    Shelves& shelves_;
    WorkerMetrics& worker_;
    std::unique_ptr<Known> known_;
};

// Any thread. Outlives every worker and the HTTP server.
class Registry {
  public:
    struct Options {
        std::string version;
        std::size_t max_series = 1000;  // pairs of database and user with labels of their own
    };

    explicit Registry(Options options);
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;
    ~Registry();

    // Made at start, before the worker's thread; once for each index.
    WorkerSets& add_worker(WorkerIndex index);
    ProcessMetrics& process();
    const std::string& version() const;
    // Replaces the list. Expiry is shown as a point in time, so it needs no refreshing.
    void set_certificates(std::vector<Certificate> certificates);
    // For pairs not seen yet; those that have a label keep it.
    void set_max_series(std::size_t max_series);

    // When each worker's loop last came round, by worker index; for /healthz and the watchdog.
    std::vector<std::optional<TimePoint>> last_ticks() const;

    Summary summary() const;

    // Prometheus text exposition format 0.0.4. `now` gives the ages of waiters.
    std::string exposition(TimePoint now) const;

  private:
    std::unique_ptr<Shelves> shelves_;
};

}  // namespace pgsluice::metrics
