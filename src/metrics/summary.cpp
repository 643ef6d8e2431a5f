#include "shelves.hpp"

#include <pgsluice/metrics/summary.hpp>

#include <mutex>

namespace pgsluice::metrics {
namespace {

void add(Summary::Route& sum, const RouteMetrics& set) {
    sum.transactions += set.transactions.value();
    for (std::size_t i = 0; i < names_of(QueryKind{}).size(); ++i) sum.queries += set.queries.at(i).value();
    for (std::size_t i = 0; i < sum.bytes.size(); ++i) sum.bytes[i] += set.bytes.at(i).value();
}

std::vector<Summary::Errors> errors_of(const Shelf<std::size_t, WorkerMetrics>::Listed& workers) {
    std::vector<Summary::Errors> errors;
    for (const ErrorOrigin origin : {ErrorOrigin::pgsluice, ErrorOrigin::server}) {
        for (std::size_t i = 0; i < SqlstateCounters::classes.size(); ++i) {
            std::uint64_t count = 0;
            for (const auto& [index, sets] : workers) {
                for (const WorkerMetrics* set : sets) count += set->errors.at(origin, i).value();
            }
            if (count > 0) errors.push_back({origin, SqlstateCounters::classes[i], count});
        }
    }
    return errors;
}

}  // namespace

// As for a scrape, the lock covers the copying of the lists only.
Summary Registry::summary() const {
    std::unique_lock lock(shelves_->mutex);
    const auto workers = shelves_->worker_sets.list();
    const auto routes = shelves_->routes.list();
    const auto rules = shelves_->rules.list();
    lock.unlock();

    Summary summary;
    summary.errors = errors_of(workers);
    for (const auto& [name, sets] : routes) {
        Summary::Route& route = summary.routes[*name];
        for (const RouteMetrics* set : sets) add(route, *set);
    }
    for (const auto& [labels, sets] : rules) {
        std::uint64_t& verdicts = summary.verdicts[*labels];
        for (const RuleMetrics* set : sets) verdicts += set->verdicts.value();
    }
    return summary;
}

}  // namespace pgsluice::metrics
