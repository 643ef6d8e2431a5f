// Gathers rows into prometheus-cpp's families: one family for each name, in the order of first appearance.
#pragma once

#include "row.hpp"

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>

#include <cstddef>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pgsluice::metrics {

class Families {
  public:
    using Labels = std::vector<prometheus::ClientMetric::Label>;

    void add(const Row& row, const Labels& labels);
    std::vector<prometheus::MetricFamily> take() { return std::move(families_); }

  private:
    prometheus::MetricFamily& family(const Family& family);

    std::vector<prometheus::MetricFamily> families_;
    std::unordered_map<std::string_view, std::size_t> by_name_;
};

}  // namespace pgsluice::metrics
