#include "shelves.hpp"

#include <pgsluice/base/escape.hpp>

#include <functional>

namespace pgsluice::metrics {
namespace {

constexpr std::size_t label_bytes = 128;
const std::string other = "other";

}  // namespace

// A label that is not valid UTF-8 makes Prometheus refuse the whole scrape.
std::string label_value(std::string_view name) {
    return escaped(name, label_bytes);
}

// What this worker has asked for before, so that asking again takes no lock. Labels as they were asked for; what was
// folded into `other` is not remembered under its own labels, or the table would grow without bound.
struct WorkerSets::Known {
    std::map<std::string, RouteMetrics*, std::less<>> routes;
    std::map<PoolLabels, PoolMetrics*> pools;
    std::map<ServerLabels, ServerMetrics*> servers;
    std::map<RuleLabels, RuleMetrics*> rules;
    std::map<UserLabels, UserMetrics*> users;
};

WorkerSets::WorkerSets(Shelves& shelves, WorkerMetrics& worker)
    : shelves_(shelves), worker_(worker), known_(std::make_unique<Known>()) {}

WorkerSets::~WorkerSets() = default;

RouteMetrics& WorkerSets::route(std::string_view name) {
    if (const auto known = known_->routes.find(name); known != known_->routes.end()) return *known->second;
    const std::scoped_lock lock(shelves_.mutex);
    RouteMetrics& set = shelves_.routes.add(label_value(name));
    known_->routes.emplace(name, &set);
    return set;
}

ServerMetrics& WorkerSets::server(const ServerLabels& labels) {
    if (const auto known = known_->servers.find(labels); known != known_->servers.end()) return *known->second;
    const std::scoped_lock lock(shelves_.mutex);
    ServerMetrics& set = shelves_.servers.add({label_value(labels.cluster), label_value(labels.server)});
    known_->servers.emplace(labels, &set);
    return set;
}

RuleMetrics& WorkerSets::rule(const RuleLabels& labels) {
    if (const auto known = known_->rules.find(labels); known != known_->rules.end()) return *known->second;
    const std::scoped_lock lock(shelves_.mutex);
    RuleMetrics& set =
        shelves_.rules.add({label_value(labels.rule), label_value(labels.action), label_value(labels.mode)});
    known_->rules.emplace(labels, &set);
    return set;
}

PoolMetrics& WorkerSets::pool(const PoolLabels& labels) {
    if (const auto known = known_->pools.find(labels); known != known_->pools.end()) return *known->second;
    const std::scoped_lock lock(shelves_.mutex);
    PoolLabels asked = labels;
    if (!shelves_.admit({labels.database, labels.user})) {
        asked.database = asked.user = other;
        if (const auto known = known_->pools.find(asked); known != known_->pools.end()) return *known->second;
    }
    PoolMetrics& set = shelves_.pools.add(
        {label_value(asked.route), label_value(asked.server), label_value(asked.database), label_value(asked.user)});
    known_->pools.emplace(std::move(asked), &set);
    return set;
}

UserMetrics& WorkerSets::user(const UserLabels& labels) {
    if (const auto known = known_->users.find(labels); known != known_->users.end()) return *known->second;
    const std::scoped_lock lock(shelves_.mutex);
    UserLabels asked = labels;
    if (!shelves_.admit(labels)) {
        asked = {other, other};
        if (const auto known = known_->users.find(asked); known != known_->users.end()) return *known->second;
    }
    UserMetrics& set = shelves_.users.add({label_value(asked.database), label_value(asked.user)});
    known_->users.emplace(std::move(asked), &set);
    return set;
}

}  // namespace pgsluice::metrics
