// The statistics of queries at one moment, as plain data for another thread: each worker's, put together and put in
// order.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/insight/statistics.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace pgsluice::insight {

struct Picture {
    std::vector<Statistics> queries;  // each once
    std::uint64_t evicted = 0;        // queries that made room for others
};

// One list of several workers': what is about the same query is added up.
Picture merge(std::vector<Picture> pictures);

// Greatest first.
enum class Order : std::uint8_t { total_time, mean_time, calls, rows, bytes, errors, wait_time, last_seen };
constexpr std::array<ByteView, 8> order_names{"total_time", "mean_time", "calls",     "rows",
                                              "bytes",      "errors",    "wait_time", "last_seen"};
std::optional<Order> order_of(ByteView name);

// The first `limit` of them, which point into `queries`. What is equal stands in the same order each time.
std::vector<const Statistics*> sorted(const std::vector<Statistics>& queries, Order order, std::size_t limit);

}  // namespace pgsluice::insight
