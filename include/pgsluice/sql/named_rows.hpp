// Statements that name what their rows come from, a cursor or a prepared statement: what columns those have stands
// nowhere in the text, and PostgreSQL does not ask that they stay the same.
#pragma once

#include <pgsluice/base/bytes.hpp>

namespace pgsluice::sql {

// FETCH and EXECUTE at the front of the text; behind a comment they are not found.
bool finds_rows_by_name(ByteView text);

}  // namespace pgsluice::sql
