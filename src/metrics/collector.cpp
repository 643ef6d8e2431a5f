#include "collector.hpp"

#include "emit.hpp"
#include "families.hpp"
#include "process_stats.hpp"

#include <mutex>
#include <string>

namespace pgsluice::metrics {
namespace {

using prometheus::MetricType;
using Labels = Families::Labels;

Labels labels_of(const std::string& route) {
    return {{"route", route}};
}
Labels labels_of(const PoolLabels& of) {
    return {{"route", of.route}, {"server", of.server}, {"database", of.database}, {"user", of.user}};
}
Labels labels_of(const ServerLabels& of) {
    return {{"cluster", of.cluster}, {"server", of.server}};
}
Labels labels_of(const RuleLabels& of) {
    return {{"rule", of.rule}, {"action", of.action}, {"mode", of.mode}};
}
Labels labels_of(const UserLabels& of) {
    return {{"database", of.database}, {"user", of.user}};
}

template <class Set, class Emit>
Row summed(TimePoint now, const std::vector<const Set*>& sets, Emit emit_set) {
    Row row(now);
    for (const Set* set : sets) {
        row.next_set();
        emit_set(row, *set);
    }
    return row;
}

template <class Listed>
void add(Families& families, TimePoint now, const Listed& listed) {
    for (const auto& [labels, sets] : listed) {
        families.add(summed(now, sets, [](Row& row, const auto& set) { emit(row, set); }), labels_of(*labels));
    }
}

// A pool without servers, waiters and limit is gone.
void add_pools(Families& families, TimePoint now, const Shelf<PoolLabels, PoolMetrics>::Listed& pools) {
    for (const auto& [labels, sets] : pools) {
        const Row row = summed(now, sets, [](Row& into, const PoolMetrics& set) { emit(into, set); });
        if (!row.all_zero()) families.add(row, labels_of(*labels));
    }
}

void add_workers(Families& families, TimePoint now, const Shelf<std::size_t, WorkerMetrics>::Listed& workers) {
    std::vector<const WorkerMetrics*> all;
    for (const auto& [index, sets] : workers) {
        families.add(summed(now, sets, emit_per_worker), {{"worker", std::to_string(*index)}});
        all.insert(all.end(), sets.begin(), sets.end());
    }
    families.add(summed(now, all, [](Row& row, const WorkerMetrics& set) { emit(row, set); }), {});
    for (const ErrorOrigin origin : {ErrorOrigin::pgsluice, ErrorOrigin::server}) {
        const Row row = summed(now, all, [&](Row& into, const WorkerMetrics& set) { emit_errors(into, origin, set); });
        families.add(row, {{"origin", std::string(names_of(origin)[static_cast<std::size_t>(origin)])}});
    }
}

void add_certificates(Families& families, TimePoint now, const std::vector<Certificate>& certificates) {
    for (const Certificate& certificate : certificates) {
        Row row(now);
        row.number("pgsluice_certificate_expiry_timestamp_seconds", "Unix time at which the certificate expires.",
                   MetricType::Gauge, static_cast<double>(certificate.expires_at_seconds));
        families.add(row, {{"use", certificate.use}, {"name", certificate.name}, {"file", certificate.file}});
    }
}

void add_process(Families& families, TimePoint now) {
    const ProcessStats stats = ProcessStats::read();
    Row row(now);
    const auto add = [&](std::string_view name, std::string_view help, MetricType type, const auto& value) {
        if (value) row.number(name, help, type, static_cast<double>(*value));
    };
    add("process_cpu_seconds_total", "User and system CPU time.", MetricType::Counter, stats.cpu_seconds);
    add("process_start_time_seconds", "Unix time at which the process started.", MetricType::Gauge,
        stats.start_time_seconds);
    add("process_resident_memory_bytes", "Resident memory.", MetricType::Gauge, stats.resident_bytes);
    add("process_virtual_memory_bytes", "Virtual memory.", MetricType::Gauge, stats.virtual_bytes);
    add("process_open_fds", "Open file descriptors.", MetricType::Gauge, stats.open_descriptors);
    add("process_max_fds", "Limit of open file descriptors.", MetricType::Gauge, stats.max_descriptors);
    families.add(row, {});
}

void add_build(Families& families, TimePoint now, const std::string& version) {
    Row row(now);
    row.number("pgsluice_build_info", "Always 1; the version is in the label.", MetricType::Gauge, 1);
    families.add(row, {{"version", version}});
}

}  // namespace

// The lock covers the copying of the lists only: a worker that makes a set never waits for a scrape.
std::vector<prometheus::MetricFamily> Collector::Collect() const {
    std::unique_lock lock(shelves_.mutex);
    const auto workers = shelves_.worker_sets.list();
    const auto routes = shelves_.routes.list();
    const auto pools = shelves_.pools.list();
    const auto servers = shelves_.servers.list();
    const auto rules = shelves_.rules.list();
    const auto users = shelves_.users.list();
    const auto certificates = shelves_.certificates;
    lock.unlock();

    Families families;
    add_build(families, now_, shelves_.version);
    add_workers(families, now_, workers);
    add(families, now_, routes);
    add_pools(families, now_, pools);
    add(families, now_, servers);
    add(families, now_, rules);
    add(families, now_, users);
    Row process(now_);
    emit(process, shelves_.process);
    families.add(process, {});
    add_certificates(families, now_, certificates);
    add_process(families, now_);
    return families.take();
}

}  // namespace pgsluice::metrics
