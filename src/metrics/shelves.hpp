// Where the sets stand: by kind, by labels, one for each worker that asked. Sets are made under the lock and never
// freed, so whoever holds a pointer reads and writes without it.
#pragma once

#include <pgsluice/metrics/registry.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pgsluice::metrics {

template <class Labels, class Set>
class Shelf {
  public:
    using Listed = std::vector<std::pair<const Labels*, std::vector<const Set*>>>;

    Set& add(const Labels& labels) { return *sets_[labels].emplace_back(std::make_unique<Set>()); }
    Listed list() const {
        Listed listed;
        listed.reserve(sets_.size());
        for (const auto& [labels, sets] : sets_) {
            auto& row = listed.emplace_back(&labels, std::vector<const Set*>()).second;
            for (const auto& set : sets) row.push_back(set.get());
        }
        return listed;
    }

  private:
    std::map<Labels, std::vector<std::unique_ptr<Set>>> sets_;  // nodes stay where they are
};

class Shelves {
  public:
    explicit Shelves(Registry::Options options) : version(std::move(options.version)), max_series(options.max_series) {}

    // True where the pair has, or now gets, labels of its own. Call with the mutex held.
    bool admit(const UserLabels& pair) {
        if (admitted_.contains(pair)) return true;
        if (admitted_.size() >= max_series) return false;
        admitted_.insert(pair);
        return true;
    }

    const std::string version;
    ProcessMetrics process;

    mutable std::mutex mutex;  // guards all below
    std::size_t max_series;
    std::vector<Certificate> certificates;
    std::map<std::size_t, std::unique_ptr<WorkerSets>> workers;
    Shelf<std::size_t, WorkerMetrics> worker_sets;
    Shelf<std::string, RouteMetrics> routes;
    Shelf<PoolLabels, PoolMetrics> pools;
    Shelf<ServerLabels, ServerMetrics> servers;
    Shelf<RuleLabels, RuleMetrics> rules;
    Shelf<UserLabels, UserMetrics> users;

  private:
    std::set<UserLabels> admitted_;
};

}  // namespace pgsluice::metrics
