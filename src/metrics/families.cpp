#include "families.hpp"

#include <limits>
#include <string>

namespace pgsluice::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;

constexpr double micros_per_second = 1e6;

ClientMetric::Histogram cumulative(const Sample& sample) {
    ClientMetric::Histogram histogram;
    histogram.bucket.reserve(sample.buckets.size());
    for (std::size_t i = 0; i < sample.buckets.size(); ++i) {
        histogram.sample_count += sample.buckets[i];
        ClientMetric::Bucket bucket;
        bucket.cumulative_count = histogram.sample_count;
        bucket.upper_bound = i < Histogram::bounds.size()
                                 ? static_cast<double>(Histogram::bounds[i]) / micros_per_second
                                 : std::numeric_limits<double>::infinity();
        histogram.bucket.push_back(bucket);
    }
    histogram.sample_sum = static_cast<double>(sample.sum_micros) / micros_per_second;
    return histogram;
}

}  // namespace

void Families::add(const Row& row, const Labels& labels) {
    for (const Row::Entry& entry : row.entries()) {
        prometheus::MetricFamily& into = family(entry.family);
        for (const Sample& sample : entry.samples) {
            if (sample.hidden_at_zero && sample.number == 0) continue;
            ClientMetric& metric = into.metric.emplace_back();
            metric.label = labels;
            if (!sample.label.empty())
                metric.label.push_back({std::string(sample.label), std::string(sample.label_value)});
            switch (entry.family.type) {
                case MetricType::Counter: metric.counter.value = sample.number; break;
                case MetricType::Histogram: metric.histogram = cumulative(sample); break;
                default: metric.gauge.value = sample.number; break;
            }
        }
    }
}

prometheus::MetricFamily& Families::family(const Family& family) {
    const auto [found, is_new] = by_name_.try_emplace(family.name, families_.size());
    if (is_new) {
        auto& made = families_.emplace_back();
        made.name = family.name;
        made.help = family.help;
        made.type = family.type;
    }
    return families_[found->second];
}

}  // namespace pgsluice::metrics
