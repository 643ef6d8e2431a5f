// The command tag of a statement: which of kind_names() it is.
#pragma once

#include "node.hpp"

#include <pgsluice/sql/statement_kind.hpp>

namespace pgsluice::sql {

// One kind; all of the group "utility" for a statement of a type that is not known here, so that no rule misses it.
Kinds kinds_of_statement(const Message& statement);

}  // namespace pgsluice::sql
