// A text as one of many that differ in constants alone: with $n in the place of each, numbered on from the highest
// parameter, comments left out, and spaces no wider than one. No constant is left, whatever the statement, so passwords
// are gone too.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <string>

namespace pgsluice::sql {

// Of a text that the parser has read with the same settings; `parameters` is its highest $n.
std::string normalized(ByteView text, std::uint32_t parameters);

}  // namespace pgsluice::sql
