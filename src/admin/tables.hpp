// The tables of SHOW: PgBouncer's, with its columns in its order, ours behind them and never between; and our own.
#pragma once

#include <pgsluice/admin/command.hpp>
#include <pgsluice/admin/scene.hpp>
#include <pgsluice/admin/table.hpp>

#include <optional>
#include <span>
#include <string_view>

namespace pgsluice::admin {

struct ShownTable {
    std::string_view name;
    std::string_view columns;
    std::vector<Row> (*rows)(const Scene& scene);
    Role least = Role::stats;
    Look look = Look::usual;
};

std::span<const ShownTable> shown_tables();
const ShownTable* find_table(std::string_view name);
// Of the settings that drivers ask for.
std::optional<std::string_view> setting_of(std::string_view name);

// --- Rows, by what they are taken from.

// tables_live.cpp: clients and servers.
std::vector<Row> clients(const Scene& scene);
std::vector<Row> servers(const Scene& scene);
std::vector<Row> sockets(const Scene& scene);
std::vector<Row> active_sockets(const Scene& scene);
std::vector<Row> descriptors(const Scene& scene);
std::vector<Row> pools(const Scene& scene);
std::vector<Row> pins(const Scene& scene);
// tables_queries.cpp
std::vector<Row> queries(const Scene& scene);
// tables_totals.cpp
std::vector<Row> stats(const Scene& scene);
std::vector<Row> stats_totals(const Scene& scene);
std::vector<Row> stats_averages(const Scene& scene);
std::vector<Row> totals(const Scene& scene);
// tables_configuration.cpp
std::vector<Row> databases(const Scene& scene);
std::vector<Row> users(const Scene& scene);
std::vector<Row> peers(const Scene& scene);
std::vector<Row> peer_pools(const Scene& scene);
std::vector<Row> configuration(const Scene& scene);
std::vector<Row> routes(const Scene& scene);
std::vector<Row> clusters(const Scene& scene);
std::vector<Row> policies(const Scene& scene);
// tables_process.cpp
std::vector<Row> lists(const Scene& scene);
std::vector<Row> memory(const Scene& scene);
std::vector<Row> state(const Scene& scene);
std::vector<Row> version(const Scene& scene);
std::vector<Row> nothing(const Scene& scene);

}  // namespace pgsluice::admin
