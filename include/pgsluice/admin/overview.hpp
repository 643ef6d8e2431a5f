// The process on one page, as JSON: what /api/overview answers. It is made of the same view as the console's tables,
// and of the sums that /metrics shows. docs/operations.md describes the members.
#pragma once

#include <pgsluice/admin/scene.hpp>
#include <pgsluice/metrics/summary.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace pgsluice::admin {

// Pools, pools with waiters and pins are shown up to so many each: those that have lasted or waited longest.
constexpr std::size_t most_shown = 1000;

struct OverviewFacts {
    const Scene& scene;
    const metrics::Summary& counted;
    std::vector<UpstreamView> upstreams{};
    std::size_t workers = 0;
    std::int64_t started_at = 0, now = 0;  // microseconds since 1970
    std::int64_t uptime = 0;               // microseconds, however the clock was set meanwhile
};

// UTF-8 whatever names clients have given. Never a statement, never a secret.
std::string overview(const OverviewFacts& facts);

}  // namespace pgsluice::admin
