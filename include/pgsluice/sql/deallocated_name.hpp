// DEALLOCATE of one prepared statement, the whole text of a Query: what drivers send whose cache of statements is full.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <optional>
#include <string>

namespace pgsluice::sql {

// The name as PostgreSQL reads it: folded to lower case without quotes, and no longer than 63 bytes. nullopt for any
// other text, for ALL, and for what is spelled in ways that no driver uses (comments, U&"...").
std::optional<std::string> deallocated_name(ByteView text);

}  // namespace pgsluice::sql
