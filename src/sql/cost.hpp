// What a text would cost libpg_query, where that is out of proportion to its length: so that a short text cannot take
// all memory or stop a worker.
#pragma once

#include "parse_tree.hpp"

#include <pgsluice/base/bytes.hpp>

#include <cstdint>
#include <string>
#include <variant>

namespace pgsluice::sql {

// The lexer takes a run of operator characters as one, cuts off what is no part of the operator (signs at its end, and
// what a comment begins in) and takes that as one again: n characters cost n * n steps. In a comment it does the same
// wherever another begins.
bool has_long_operator(ByteView text);

// Nodes that libpg_query would make more than once, in tokens. A tree of "SET (a, b, c) = x" has x three times, and
// those nest: a few hundred bytes would make millions. Too large rather than too small, and saturating.
std::uint64_t copied_tokens(const PgQuery__ScanResult& tokens);

// Whether the text is fit to be parsed; else why it is not. Under a ReadingGuard.
std::variant<Tokens, Unparsable> affordable_tokens_of(const std::string& text);

}  // namespace pgsluice::sql
