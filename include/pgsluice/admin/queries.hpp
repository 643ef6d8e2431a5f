// The statistics of queries as JSON: what /api/queries answers. docs/operations.md describes the members.
#pragma once

#include <pgsluice/insight/picture.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace pgsluice::admin {

constexpr std::size_t queries_shown = 50;  // where nobody says how many
constexpr std::size_t most_queries_shown = 1000;

struct QueriesWanted {
    insight::Order order = insight::Order::total_time;
    std::size_t limit = queries_shown;
};

// What a request asks for behind its '?', or a sentence about what is wrong with it.
std::variant<QueriesWanted, std::string> read_queries_wanted(std::string_view query);

struct QueriesFacts {
    const insight::Picture& picture;  // of all workers, merged
    std::size_t max_queries = 0;      // insight.max_queries
    QueriesWanted wanted{};
};

// UTF-8 whatever encoding a statement came in.
std::string queries(const QueriesFacts& facts);

}  // namespace pgsluice::admin
