#include "client_limits.hpp"

namespace pgsluice::daemon {

namespace {

wire::SqlError too_many(const char* what, const std::string& name, std::uint32_t limit) {
    return wire::fatal("53300", "too many connections for " + std::string(what) + " \"" + name + "\"",
                       "The limit of " + std::to_string(limit) + " client connections is reached.");
}

std::string counted_as(const Address& address) {
    const Address subscriber = address.subscriber();
    return subscriber.to_string() + (subscriber.family == Address::Family::ipv6 ? "/64" : "");
}

}  // namespace

AddressPlace::~AddressPlace() {
    if (limits_ != nullptr) limits_->give_back(*this);
}

Admission::~Admission() {
    if (limits_ != nullptr) limits_->give_back(*this);
}

std::uint32_t ClientLimits::enter(std::uint32_t limit) {
    const std::lock_guard lock(mutex_);
    ++clients_;
    ++logins_;
    return clients_ <= limit ? 0 : clients_ - limit;
}

void ClientLimits::leave(As as) {
    const std::lock_guard lock(mutex_);
    if (as == As::reserved) {
        --reserved_;
        return;
    }
    --clients_;
    if (as == As::console) --consoles_;
    if (as == As::login) --logins_;
}

void ClientLimits::begin_session() {
    const std::lock_guard lock(mutex_);
    --logins_;
}

std::optional<ClientLimits::As> ClientLimits::enter_console(bool is_administrator, bool is_within_limit) {
    const std::lock_guard lock(mutex_);
    if (is_administrator && reserved_ < reserved_for_administrators) {
        --clients_;
        --logins_;
        ++reserved_;
        return As::reserved;
    }
    if (!is_within_limit) return std::nullopt;
    --logins_;
    ++consoles_;
    return As::console;
}

std::uint32_t ClientLimits::clients() const {
    const std::lock_guard lock(mutex_);
    return clients_ - consoles_;
}

std::uint32_t ClientLimits::sessions() const {
    const std::lock_guard lock(mutex_);
    return clients_ - consoles_ - logins_;
}

AddressPlace ClientLimits::enter_from(const Address& address, std::uint32_t limit) {
    AddressPlace place;
    const std::lock_guard lock(mutex_);
    place.count_ = addresses_.try_emplace(counted_as(address), 0).first;
    const std::uint32_t now = ++place.count_->second;
    place.excess_ = limit == 0 || now <= limit ? 0 : now - limit;
    place.limits_ = this;
    return place;
}

wire::SqlError ClientLimits::too_many_from(const Address& address, std::uint32_t limit) {
    return too_many("address", counted_as(address), limit);
}

void ClientLimits::give_back(AddressPlace& place) {
    const std::lock_guard lock(mutex_);
    if (--place.count_->second == 0) addresses_.erase(place.count_);
}

std::optional<wire::SqlError> ClientLimits::admit(const Request& request, const config::Limits& limits,
                                                  Admission& admission) {
    struct Rule {
        const std::string& name;
        std::uint32_t limit;
        const char* what;
    };
    const std::array<Rule, 3> rules{{
        {request.user, request.user_limit != 0 ? request.user_limit : limits.connections_per_user, "role"},
        {request.database, limits.connections_per_database, "database"},
        {request.route, request.route_limit, "route"},
    }};
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const auto& [name, limit, what] = rules[i];
        const auto found = counts_[i].find(name);
        if (limit == 0 || found == counts_[i].end() || found->second < limit) continue;
        return too_many(what, name, limit);
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
