// The values of one set of counters, summed over the workers that have such a set. The emit functions visit a set and
// name each of its metrics; visiting the next worker's set adds to the values of the first, by position.
#pragma once

#include <pgsluice/base/time.hpp>
#include <pgsluice/metrics/counter.hpp>
#include <pgsluice/metrics/histogram.hpp>
#include <pgsluice/metrics/sqlstate.hpp>

#include <prometheus/metric_type.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace pgsluice::metrics {

// All text lives as long as the program: literals and names_of tables.
struct Family {
    std::string_view name, help;
    prometheus::MetricType type;
};

struct Sample {
    std::string_view label, label_value;  // empty: no label beyond the row's own
    double number = 0;                    // counters and gauges
    std::array<std::uint64_t, Histogram::bucket_count> buckets{};
    std::uint64_t sum_micros = 0;
    bool hidden_at_zero = false;
};

class Row {
  public:
    struct Entry {
        Family family;
        std::vector<Sample> samples;
    };

    explicit Row(TimePoint now) : now_(now) {}

    void next_set() { cursor_ = 0; }

    void counter(std::string_view name, std::string_view help, const Counter& counter) {
        add(name, help, prometheus::MetricType::Counter, static_cast<double>(counter.value()));
    }
    void counter(std::string_view name, std::string_view help, const SharedCounter& counter) {
        add(name, help, prometheus::MetricType::Counter, static_cast<double>(counter.value()));
    }
    void gauge(std::string_view name, std::string_view help, const Gauge& gauge) {
        add(name, help, prometheus::MetricType::Gauge, static_cast<double>(gauge.value()));
    }
    void gauge(std::string_view name, std::string_view help, const SharedGauge& gauge) {
        add(name, help, prometheus::MetricType::Gauge, static_cast<double>(gauge.value()));
    }
    void number(std::string_view name, std::string_view help, prometheus::MetricType type, double value) {
        add(name, help, type, value);
    }
    // The largest of the workers' values, not their sum.
    void highest(std::string_view name, std::string_view help, const Gauge& gauge);
    // The greatest age in seconds, 0 where nothing lasts.
    void age(std::string_view name, std::string_view help, const Since& since);
    void histogram(std::string_view name, std::string_view help, const Histogram& histogram);
    void sqlstates(std::string_view name, std::string_view help, ErrorOrigin origin, const SqlstateCounters& errors);

    template <class Enum>
    void counters(std::string_view name, std::string_view help, std::string_view label, const By<Counter, Enum>& by) {
        labelled(name, help, prometheus::MetricType::Counter, label, by);
    }
    template <class Enum>
    void gauges(std::string_view name, std::string_view help, std::string_view label, const By<Gauge, Enum>& by) {
        labelled(name, help, prometheus::MetricType::Gauge, label, by);
    }

    const std::vector<Entry>& entries() const { return entries_; }
    bool all_zero() const;

  private:
    Entry& entry(std::string_view name, std::string_view help, prometheus::MetricType type, std::size_t samples);
    void add(std::string_view name, std::string_view help, prometheus::MetricType type, double value) {
        entry(name, help, type, 1).samples[0].number += value;
    }
    template <class By>
    void labelled(std::string_view name, std::string_view help, prometheus::MetricType type, std::string_view label,
                  const By& by) {
        Entry& entry = this->entry(name, help, type, By::names.size());
        for (std::size_t i = 0; i < By::names.size(); ++i) {
            entry.samples[i].label = label;
            entry.samples[i].label_value = By::names[i];
            entry.samples[i].number += static_cast<double>(by.at(i).value());
        }
    }

    TimePoint now_;
    std::vector<Entry> entries_;
    std::size_t cursor_ = 0;
};

}  // namespace pgsluice::metrics
