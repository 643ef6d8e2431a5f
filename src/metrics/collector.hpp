// The registry as prometheus-cpp sees it: sums every set over its workers at scrape time.
#pragma once

#include "shelves.hpp"

#include <pgsluice/base/time.hpp>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

namespace pgsluice::metrics {

class Collector final : public prometheus::Collectable {
  public:
    Collector(const Shelves& shelves, TimePoint now) : shelves_(shelves), now_(now) {}
    std::vector<prometheus::MetricFamily> Collect() const override;

  private:
    const Shelves& shelves_;
    TimePoint now_;
};

}  // namespace pgsluice::metrics
