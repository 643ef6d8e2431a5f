// A text without what is private in it: for logs and metrics.
#pragma once

#include "parse_tree.hpp"

#include <cstdint>
#include <string>

namespace pgsluice::sql {

// Every constant that the lexer finds is $n, counted on from `parameters`, in statements of all kinds: so passwords,
// the bodies of DO and functions, and the arguments of SET and of types are replaced too, and so are the words
// that ALTER ROLE, DATABASE and SYSTEM, and functions and procedures, set something to, and SET where the name has a
// dot. What stands between two tokens (blanks, comments) is one space.
std::string normalized(const std::string& text, const PgQuery__ScanResult& tokens, std::uint32_t parameters);

}  // namespace pgsluice::sql
