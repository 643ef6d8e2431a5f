#include "cells.hpp"
#include "tables.hpp"

#include <pgsluice/admin/queries.hpp>
#include <pgsluice/base/escape.hpp>

#include <cmath>

namespace pgsluice::admin {
namespace {

constexpr std::size_t text_bytes = 200;  // of a line that is still read at a terminal

std::string micros_cell(insight::MicrosecondsAndParts time) {
    return cell(std::llround(time.count()));
}

// Constants, in which blanks would matter, are not in the text.
std::string text_cell(std::string_view text) {
    std::string line;
    for (const char c : text) {
        const bool is_blank = c == ' ' || (c >= '\t' && c <= '\r');
        if (!is_blank)
            line += c;
        else if (!line.empty() && line.back() != ' ')
            line += ' ';
    }
    return escaped(line, text_bytes);
}

Row row_of(const insight::Statistics& each) {
    const insight::Query& query = *each.query;
    return {fingerprint_cell(query.fingerprint),
            query.route,
            query.user,
            cell(each.calls),
            cell(each.errors),
            cell(each.rows),
            cell(each.bytes),
            micros_cell(each.total_time),
            micros_cell(each.mean_time()),
            micros_cell(each.min_time),
            micros_cell(each.max_time),
            micros_cell(each.time_quantile(0.5)),
            micros_cell(each.time_quantile(0.95)),
            micros_cell(each.time_quantile(0.99)),
            micros_cell(each.wait_time),
            micros_cell(each.wait_quantile(0.5)),
            micros_cell(each.wait_quantile(0.95)),
            micros_cell(each.wait_quantile(0.99)),
            time_cell(micros_of(each.first_seen)),
            time_cell(micros_of(each.last_seen)),
            std::string(each.last_trace_id()),
            text_cell(query.text)};
}

}  // namespace

std::vector<Row> queries(const Scene& scene) {
    std::vector<Row> rows;
    for (const insight::Statistics* each :
         insight::sorted(scene.view.queries.queries, insight::Order::total_time, queries_shown)) {
        rows.push_back(row_of(*each));
    }
    return rows;
}

}  // namespace pgsluice::admin
