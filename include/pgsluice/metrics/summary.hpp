// Sums of some counters over all workers as plain data, for who shows them in another way than Prometheus. They are
// those of /metrics: what a scrape at the same moment would say.
#pragma once

#include <pgsluice/metrics/labels.hpp>

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::metrics {

struct RuleLabels {
    std::string rule, action, mode;
    friend auto operator<=>(const RuleLabels&, const RuleLabels&) = default;
};

struct Summary {
    struct Route {
        std::uint64_t transactions = 0, queries = 0;
        std::array<std::uint64_t, names_of(Direction{}).size()> bytes{};  // in the enum's order
    };
    struct Errors {
        ErrorOrigin origin = ErrorOrigin::pgsluice;
        std::string_view sqlstate_class;  // two characters, or "other"
        std::uint64_t count = 0;
    };

    std::map<std::string, Route> routes;
    std::vector<Errors> errors;  // those that have occurred
    std::map<RuleLabels, std::uint64_t> verdicts;
};

}  // namespace pgsluice::metrics
