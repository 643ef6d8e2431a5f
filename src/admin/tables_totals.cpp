// STATS: what clients have done since the start, and how much of it in a second of the last period.
#include "cells.hpp"
#include "tables.hpp"

#include <algorithm>

namespace pgsluice::admin {
namespace {

using Total = std::uint64_t Totals::*;

// PgBouncer's order.
constexpr std::array counted{&Totals::assignments, &Totals::transactions, &Totals::queries, &Totals::bytes_in,
                             &Totals::bytes_out};
constexpr std::array parsed{&Totals::client_parses, &Totals::server_parses, &Totals::binds};

std::string per_second(std::uint64_t amount) {
    return cell(amount / static_cast<std::uint64_t>(period_seconds));
}

std::string average(std::uint64_t sum, std::uint64_t count) {
    return cell(count == 0 ? 0 : sum / count);
}

void add_totals(Row& row, const Totals& totals) {
    for (const Total total : counted) row.push_back(cell(totals.*total));
    row.push_back(cell(totals.transaction_time));
    row.push_back(cell(totals.query_time));
    row.push_back(cell(totals.wait_time));
    for (const Total total : parsed) row.push_back(cell(totals.*total));
}

void add_averages(Row& row, const Totals& period) {
    for (const Total total : counted) row.push_back(per_second(period.*total));
    row.push_back(average(period.transaction_time, period.transactions));
    row.push_back(average(period.query_time, period.queries));
    row.push_back(average(period.wait_time, period.assignments));
    for (const Total total : parsed) row.push_back(per_second(period.*total));
}

Totals last_period_of(const View& view, const std::string& database) {
    const auto found = view.last_period.find(database);
    return found == view.last_period.end() ? Totals() : found->second;
}

Totals sum(const TotalsByDatabase& by_database) {
    Totals all;
    for (const auto& [database, totals] : by_database) all += totals;
    return all;
}

}  // namespace

std::vector<Row> stats(const Scene& scene) {
    std::vector<Row> rows;
    for (const auto& [database, totals] : scene.view.totals) {
        const Totals period = last_period_of(scene.view, database);
        Row& row = rows.emplace_back(Row{database});
        add_totals(row, totals);
        add_averages(row, period);
        row.push_back(cell(totals.logins));
        row.push_back(per_second(period.logins));
    }
    return rows;
}

std::vector<Row> stats_totals(const Scene& scene) {
    std::vector<Row> rows;
    for (const auto& [database, totals] : scene.view.totals) {
        Row& row = rows.emplace_back(Row{database});
        add_totals(row, totals);
        row.push_back(cell(totals.logins));
    }
    return rows;
}

std::vector<Row> stats_averages(const Scene& scene) {
    std::vector<Row> rows;
    for (const auto& [database, totals] : scene.view.totals) {
        const Totals period = last_period_of(scene.view, database);
        Row& row = rows.emplace_back(Row{database});
        add_averages(row, period);
        row.push_back(per_second(period.logins));
    }
    return rows;
}

std::vector<Row> totals(const Scene& scene) {
    constexpr std::array<const char*, 12> names{"server_assignment_count",
                                                "xact_count",
                                                "query_count",
                                                "client_bytes",
                                                "server_bytes",
                                                "xact_time",
                                                "query_time",
                                                "wait_time",
                                                "ps_client_parse_count",
                                                "ps_server_parse_count",
                                                "ps_bind_count",
                                                "client_login_count"};
    const Totals all = sum(scene.view.totals), period = sum(scene.view.last_period);
    Row values, averages;
    add_totals(values, all);
    values.push_back(cell(all.logins));
    add_averages(averages, period);
    averages.push_back(per_second(period.logins));
    std::vector<Row> rows;
    for (std::size_t i = 0; i < names.size(); ++i) rows.push_back({std::string("total_") + names[i], values[i]});
    for (std::size_t i = 0; i < names.size(); ++i) rows.push_back({std::string("avg_") + names[i], averages[i]});
    return rows;
}

}  // namespace pgsluice::admin
