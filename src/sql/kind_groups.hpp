// Which kinds a group has.
#pragma once

#include <pgsluice/sql/statement_kind.hpp>

namespace pgsluice::sql {

// `group` is one of group_names().
Kinds kinds_of_group(std::string_view group);

}  // namespace pgsluice::sql
