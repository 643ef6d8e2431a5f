// Statements of SQL that speak of prepared statements by their names.
#pragma once

#include <pgsluice/sql/facts.hpp>

#include <string>
#include <vector>

namespace pgsluice::sql {

// Whether the text is one PREPARE and nothing else: what it names it does not run.
bool is_prepare(ByteView text);

// Whether the text may run a prepared statement or give a name to one: EXECUTE, also behind EXPLAIN or CREATE TABLE AS,
// and PREPARE. Not seen: what a comment stands in front of, and several statements of which one may be COPY FROM STDIN.
bool names_statement(ByteView text);

// What EXECUTE and PREPARE name there, each once and in PostgreSQL's spelling; in constants too, which DO and functions
// may run. Of a text that the lexer refuses none: the server refuses it as well. Not found: what is written
// by escapes (U&"\0073"), and what is put together when it runs.
std::vector<std::string> named_statements(ByteView text, Reading how);

}  // namespace pgsluice::sql
