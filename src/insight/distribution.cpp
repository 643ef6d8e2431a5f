#include <pgsluice/insight/distribution.hpp>

#include <cmath>
#include <numeric>

namespace pgsluice::insight {
namespace {

// Of the ends of a bucket, the number whose relative distance to both is the same.
MicrosecondsAndParts middle_of(std::size_t bucket) {
    if (bucket == 0) return MicrosecondsAndParts::zero();
    const double steps = static_cast<double>(bucket - 1) / static_cast<double>(Distribution::buckets_per_octave);
    const double width = std::exp2(1.0 / static_cast<double>(Distribution::buckets_per_octave));
    return MicrosecondsAndParts(std::exp2(steps) * 2 * width / (1 + width));
}

}  // namespace

void Distribution::halve() noexcept {
    for (std::uint32_t& counter : counters_) counter /= 2;
}

void Distribution::add(const Distribution& other) noexcept {
    Distribution added = other;
    for (std::size_t i = 0; i < bucket_count; ++i) {
        if (counters_[i] <= most - added.counters_[i]) continue;
        halve();
        added.halve();
        break;
    }
    for (std::size_t i = 0; i < bucket_count; ++i) counters_[i] += added.counters_[i];
}

MicrosecondsAndParts Distribution::quantile(double fraction) const {
    const auto total = std::accumulate(counters_.begin(), counters_.end(), std::uint64_t{0});
    if (total == 0) return MicrosecondsAndParts::zero();
    const auto rank = std::clamp<std::uint64_t>(
        static_cast<std::uint64_t>(std::ceil(fraction * static_cast<double>(total))), 1, total);
    std::uint64_t below = 0;
    std::size_t bucket = 0;
    while ((below += counters_[bucket]) < rank) ++bucket;
    return middle_of(bucket);
}

}  // namespace pgsluice::insight
