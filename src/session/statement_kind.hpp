// What a statement does, as the label of a metric.
#pragma once

#include <pgsluice/metrics/labels.hpp>
#include <pgsluice/sql/facts.hpp>

namespace pgsluice::session {

// Of several kinds the first in the enum's order.
metrics::StatementKind statement_kind(const sql::Facts* facts);

}  // namespace pgsluice::session
