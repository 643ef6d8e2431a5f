// Statements of SQL that speak of prepared statements by their names.
#pragma once

#include <pgsluice/base/bytes.hpp>

namespace pgsluice::sql {

// Whether the text is one PREPARE and nothing else: what it names it does not run.
bool is_prepare(ByteView text);

// Whether the text may run a prepared statement or give a name to one: EXECUTE, also behind EXPLAIN or CREATE TABLE AS,
// and PREPARE. Not seen: what a comment stands in front of, and several statements of which one may be COPY FROM STDIN.
bool names_statement(ByteView text);

}  // namespace pgsluice::sql
