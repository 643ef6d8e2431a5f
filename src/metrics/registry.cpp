#include "collector.hpp"
#include "shelves.hpp"

#include <pgsluice/base/check.hpp>
#include <pgsluice/base/escape.hpp>
#include <pgsluice/metrics/registry.hpp>

#include <prometheus/text_serializer.h>

#include <utility>

namespace pgsluice::metrics {

Registry::Registry(Options options) : shelves_(std::make_unique<Shelves>(std::move(options))) {}

Registry::~Registry() = default;

WorkerSets& Registry::add_worker(WorkerIndex index) {
    const std::scoped_lock lock(shelves_->mutex);
    auto& sets = shelves_->workers[number(index)];
    PGSLUICE_CHECK(sets == nullptr);
    sets.reset(new WorkerSets(*shelves_, shelves_->worker_sets.add(number(index))));
    return *sets;
}

ProcessMetrics& Registry::process() {
    return shelves_->process;
}

const std::string& Registry::version() const {
    return shelves_->version;
}

void Registry::set_certificates(std::vector<Certificate> certificates) {
    for (Certificate& certificate : certificates) {
        certificate.name = escaped(certificate.name);
        certificate.file = escaped(certificate.file);
    }
    const std::scoped_lock lock(shelves_->mutex);
    shelves_->certificates = std::move(certificates);
}

void Registry::set_max_series(std::size_t max_series) {
    const std::scoped_lock lock(shelves_->mutex);
    shelves_->max_series = max_series;
}

std::vector<std::optional<TimePoint>> Registry::last_ticks() const {
    const std::scoped_lock lock(shelves_->mutex);
    std::vector<std::optional<TimePoint>> ticks;
    for (const auto& [index, sets] : shelves_->workers) ticks.push_back(sets->worker().last_tick.value());
    return ticks;
}

std::string Registry::exposition(TimePoint now) const {
    return prometheus::TextSerializer().Serialize(Collector(*shelves_, now).Collect());
}

}  // namespace pgsluice::metrics
