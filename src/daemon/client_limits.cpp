#include "client_limits.hpp"

namespace pgsluice::daemon {

Admission::~Admission() {
    if (limits_ != nullptr) limits_->give_back(*this);
}

std::uint32_t ClientLimits::enter(std::uint32_t limit) {
    const std::lock_guard lock(mutex_);
    ++clients_;
    return clients_ <= limit ? 0 : clients_ - limit;
}

void ClientLimits::leave() {
    const std::lock_guard lock(mutex_);
    --clients_;
}

std::uint32_t ClientLimits::clients() const {
    const std::lock_guard lock(mutex_);
    return clients_;
}

std::optional<wire::SqlError> ClientLimits::admit(const Request& request, const config::Limits& limits,
                                                  Admission& admission) {
    struct Rule {
        const std::string& name;
        std::uint32_t limit;
        const char* what;
    };
    const std::array<Rule, 4> rules{{
        {request.user, request.user_limit != 0 ? request.user_limit : limits.connections_per_user, "role"},
        {request.database, limits.connections_per_database, "database"},
        {request.address, limits.connections_per_address, "address"},
        {request.route, request.route_limit, "route"},
    }};
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const auto& [name, limit, what] = rules[i];
        const auto found = counts_[i].find(name);
        if (limit == 0 || found == counts_[i].end() || found->second < limit) continue;
        return wire::fatal("53300", "too many connections for " + std::string(what) + " \"" + name + "\"",
                           "The limit of " + std::to_string(limit) + " client connections is reached.");
    }
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const auto count = counts_[i].try_emplace(rules[i].name, 0).first;
        ++count->second;
        admission.taken_[i] = {&counts_[i], count};
    }
    admission.limits_ = this;
    return std::nullopt;
}

void ClientLimits::give_back(Admission& admission) {
    const std::lock_guard lock(mutex_);
    for (const auto& taken : admission.taken_) {
        if (taken.counts != nullptr && --taken.count->second == 0) taken.counts->erase(taken.count);
    }
}

}  // namespace pgsluice::daemon
