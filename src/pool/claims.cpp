#include <pgsluice/pool/claims.hpp>

#include <algorithm>

namespace pgsluice::pool {

void Claims::enter(Claim claim) {
    const std::lock_guard lock(mutex_);
    const auto known = std::find_if(claims_.begin(), claims_.end(), [&](const Claim& each) {
        return each.share == claim.share && each.worker == claim.worker;
    });
    if (known == claims_.end())
        claims_.push_back(std::move(claim));
    else
        *known = std::move(claim);
    count_.store(static_cast<std::uint32_t>(claims_.size()));
}

void Claims::withdraw(const Share* share, WorkerIndex worker) {
    const std::lock_guard lock(mutex_);
    std::erase_if(claims_, [&](const Claim& each) { return each.share == share && each.worker == worker; });
    count_.store(static_cast<std::uint32_t>(claims_.size()));
}

std::optional<Claim> Claims::take(const Share* self, TimePoint since) {
    const std::lock_guard lock(mutex_);
    auto longest = claims_.end();
    for (auto each = claims_.begin(); each != claims_.end(); ++each) {
        if (each->share == self || each->since >= since) continue;
        if (longest == claims_.end() || each->since < longest->since) longest = each;
    }
    if (longest == claims_.end()) return std::nullopt;
    Claim taken = std::move(*longest);
    claims_.erase(longest);
    count_.store(static_cast<std::uint32_t>(claims_.size()));
    return taken;
}

}  // namespace pgsluice::pool
