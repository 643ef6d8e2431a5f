#include <pgsluice/pool/claims.hpp>

#include <algorithm>

namespace pgsluice::pool {

// Under the mutex.
std::vector<Claim>::iterator Claims::find(const Share* share, WorkerIndex worker) {
    return std::find_if(claims_.begin(), claims_.end(),
                        [&](const Claim& each) { return each.share == share && each.worker == worker; });
}

void Claims::enter(Claim claim) {
    const std::lock_guard lock(mutex_);
    const auto known = find(claim.share, claim.worker);
    if (known == claims_.end())
        claims_.push_back(std::move(claim));
    else
        *known = std::move(claim);
    count_.store(static_cast<std::uint32_t>(claims_.size()));
}

void Claims::renew(const Share* share, WorkerIndex worker, TimePoint since) {
    const std::lock_guard lock(mutex_);
    if (const auto known = find(share, worker); known != claims_.end()) known->since = since;
}

void Claims::withdraw(const Share* share, WorkerIndex worker) {
    const std::lock_guard lock(mutex_);
    if (const auto known = find(share, worker); known != claims_.end()) claims_.erase(known);
    count_.store(static_cast<std::uint32_t>(claims_.size()));
}

std::optional<Claim> Claims::offer(const Share* self, TimePoint since) {
    const std::lock_guard lock(mutex_);
    Claim* longest = nullptr;
    for (Claim& each : claims_) {
        if (each.is_offered || each.share == self || each.since >= since) continue;
        if (longest == nullptr || each.since < longest->since) longest = &each;
    }
    if (longest == nullptr) return std::nullopt;
    longest->is_offered = true;
    return *longest;
}

bool Claims::has_older(const Share* self, TimePoint since) const {
    const std::lock_guard lock(mutex_);
    return std::any_of(claims_.begin(), claims_.end(),
                       [&](const Claim& each) { return each.share != self && each.since < since; });
}

}  // namespace pgsluice::pool
