#include "cells.hpp"
#include "overview_parts.hpp"

#include <pgsluice/admin/queries.hpp>
#include <pgsluice/base/escape.hpp>

#include <boost/json/serialize.hpp>

#include <charconv>
#include <optional>

namespace pgsluice::admin {
namespace {

namespace json = boost::json;
using insight::MicrosecondsAndParts;
using insight::Statistics;

std::optional<std::size_t> limit_of(std::string_view text) {
    std::size_t limit = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), limit);
    const bool is_whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
    if (!is_whole || limit < 1 || limit > most_queries_shown) return std::nullopt;
    return limit;
}

std::string about_orders() {
    std::string names;
    for (const std::string_view name : insight::order_names) names += (names.empty() ? "" : ", ") + std::string(name);
    return "order is one of " + names;
}

double in_seconds(MicrosecondsAndParts time) {
    return time.count() / micros_per_second;
}

// Lines stay lines; what is no UTF-8 becomes U+FFFD.
std::string as_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = utf8_sequence_length(text);
        out += length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out;
}

json::value trace_of(const Statistics& statistics) {
    if (statistics.last_trace_id().empty()) return nullptr;
    return json::string(as_utf8(statistics.last_trace_id()));
}

json::object to_json(const Statistics& each) {
    return {{"fingerprint", fingerprint_cell(each.query->fingerprint)},
            {"route", metrics::label_value(each.query->route)},
            {"user", metrics::label_value(each.query->user)},
            {"text", as_utf8(each.query->text)},
            {"text_truncated", each.query->is_cut},
            {"calls", each.calls},
            {"errors", each.errors},
            {"rows", each.rows},
            {"bytes", each.bytes},
            {"total_time_seconds", in_seconds(each.total_time)},
            {"mean_time_seconds", in_seconds(each.mean_time())},
            {"min_time_seconds", in_seconds(each.min_time)},
            {"max_time_seconds", in_seconds(each.max_time)},
            {"p50_time_seconds", in_seconds(each.time_quantile(0.5))},
            {"p95_time_seconds", in_seconds(each.time_quantile(0.95))},
            {"p99_time_seconds", in_seconds(each.time_quantile(0.99))},
            {"wait_time_seconds", in_seconds(each.wait_time)},
            {"p50_wait_seconds", in_seconds(each.wait_quantile(0.5))},
            {"p95_wait_seconds", in_seconds(each.wait_quantile(0.95))},
            {"p99_wait_seconds", in_seconds(each.wait_quantile(0.99))},
            {"first_seen_seconds", seconds(micros_of(each.first_seen))},
            {"last_seen_seconds", seconds(micros_of(each.last_seen))},
            {"last_trace_id", trace_of(each)}};
}

}  // namespace

std::variant<QueriesWanted, std::string> read_queries_wanted(std::string_view query) {
    QueriesWanted wanted;
    while (!query.empty()) {
        const std::string_view part = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(part.size() + 1, query.size()));
        const std::string_view name = part.substr(0, part.find('='));
        const std::string_view value = part.substr(std::min(name.size() + 1, part.size()));
        if (name == "order") {
            const auto order = insight::order_of(value);
            if (!order) return about_orders();
            wanted.order = *order;
        } else if (name == "limit") {
            const auto limit = limit_of(value);
            if (!limit) return "limit is a number from 1 to " + std::to_string(most_queries_shown);
            wanted.limit = *limit;
        } else {
            return "there are the parameters order and limit, each with a value";
        }
    }
    return wanted;
}

std::string queries(const QueriesFacts& facts) {
    json::array items;
    for (const Statistics* each : insight::sorted(facts.picture.queries, facts.wanted.order, facts.wanted.limit))
        items.push_back(to_json(*each));
    json::object out;
    out["max_queries"] = facts.max_queries;
    out["known"] = facts.picture.queries.size();
    out["evicted"] = facts.picture.evicted;
    out["order"] = insight::order_names[static_cast<std::size_t>(facts.wanted.order)];
    out["queries"] = std::move(items);
    return json::serialize(out);
}

}  // namespace pgsluice::admin
