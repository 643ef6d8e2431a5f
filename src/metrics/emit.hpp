// Names, helps and labels of every metric, one function for each set. docs/operations.md lists them, and a test
// compares.
#pragma once

#include "row.hpp"

#include <pgsluice/metrics/process.hpp>
#include <pgsluice/metrics/sets.hpp>

namespace pgsluice::metrics {

void emit_per_worker(Row& row, const WorkerMetrics& set);  // labelled by worker
void emit(Row& row, const WorkerMetrics& set);             // summed over workers
void emit_errors(Row& row, ErrorOrigin origin, const WorkerMetrics& set);
void emit(Row& row, const RouteMetrics& set);
void emit(Row& row, const PoolMetrics& set);
void emit(Row& row, const ServerMetrics& set);
void emit(Row& row, const RuleMetrics& set);
void emit(Row& row, const UserMetrics& set);
void emit(Row& row, const ProcessMetrics& set);

}  // namespace pgsluice::metrics
