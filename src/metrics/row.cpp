#include "row.hpp"

#include <algorithm>

namespace pgsluice::metrics {

using prometheus::MetricType;

Row::Entry& Row::entry(std::string_view name, std::string_view help, MetricType type, std::size_t samples) {
    if (cursor_ == entries_.size()) entries_.push_back({{name, help, type}, std::vector<Sample>(samples)});
    return entries_[cursor_++];
}

void Row::highest(std::string_view name, std::string_view help, const Gauge& gauge) {
    double& number = entry(name, help, MetricType::Gauge, 1).samples[0].number;
    number = std::max(number, static_cast<double>(gauge.value()));
}

void Row::age(std::string_view name, std::string_view help, const Since& since) {
    double& number = entry(name, help, MetricType::Gauge, 1).samples[0].number;
    if (const auto when = since.value()) number = std::max(number, std::chrono::duration<double>(now_ - *when).count());
}

void Row::histogram(std::string_view name, std::string_view help, const Histogram& histogram) {
    Sample& sample = entry(name, help, MetricType::Histogram, 1).samples[0];
    for (std::size_t i = 0; i < sample.buckets.size(); ++i) sample.buckets[i] += histogram.bucket(i);
    sample.sum_micros += histogram.sum_micros();
}

void Row::sqlstates(std::string_view name, std::string_view help, ErrorOrigin origin, const SqlstateCounters& errors) {
    auto& samples = entry(name, help, MetricType::Counter, SqlstateCounters::classes.size()).samples;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        samples[i].label = "class";
        samples[i].label_value = SqlstateCounters::classes[i];
        samples[i].hidden_at_zero = true;
        samples[i].number += static_cast<double>(errors.at(origin, i).value());
    }
}

bool Row::all_zero() const {
    return std::all_of(entries_.begin(), entries_.end(), [](const Entry& entry) {
        return std::all_of(entry.samples.begin(), entry.samples.end(), [](const Sample& sample) {
            return sample.number == 0 && std::all_of(sample.buckets.begin(), sample.buckets.end(),
                                                     [](std::uint64_t count) { return count == 0; });
        });
    });
}

}  // namespace pgsluice::metrics
