// The command tag of a statement's node.
#pragma once

#include "parse_tree.hpp"

#include <optional>

namespace pgsluice::sql {

// The bit in kind_names(); nullopt for a node that is no statement. EXPLAIN, PREPARE and their like are what they are,
// not what they have inside.
std::optional<std::size_t> kind_of(const Message& node);

// "table", "index", ...: the words for an object behind CREATE, ALTER and DROP.
const char* object_name(PgQuery__ObjectType type);

}  // namespace pgsluice::sql
