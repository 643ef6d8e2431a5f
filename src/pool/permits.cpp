#include <pgsluice/pool/permits.hpp>

#include <algorithm>

namespace pgsluice::pool {

void Permits::starve(Starving starving) {
    const std::lock_guard lock(mutex_);
    const auto known = std::find_if(starving_.begin(), starving_.end(), [&](const Starving& each) {
        return each.share == starving.share && each.worker == starving.worker;
    });
    if (known == starving_.end())
        starving_.push_back(std::move(starving));
    else
        *known = std::move(starving);
    count_.store(static_cast<std::uint32_t>(starving_.size()));
}

void Permits::feed(const Share* share, WorkerIndex worker) {
    const std::lock_guard lock(mutex_);
    std::erase_if(starving_, [&](const Starving& each) { return each.share == share && each.worker == worker; });
    count_.store(static_cast<std::uint32_t>(starving_.size()));
}

std::optional<Permits::Starving> Permits::take_starved(const Share* self, TimePoint since) {
    const std::lock_guard lock(mutex_);
    auto longest = starving_.end();
    for (auto each = starving_.begin(); each != starving_.end(); ++each) {
        if (each->share == self || each->since >= since) continue;
        if (longest == starving_.end() || each->since < longest->since) longest = each;
    }
    if (longest == starving_.end()) return std::nullopt;
    Starving taken = std::move(*longest);
    starving_.erase(longest);
    count_.store(static_cast<std::uint32_t>(starving_.size()));
    return taken;
}

}  // namespace pgsluice::pool
