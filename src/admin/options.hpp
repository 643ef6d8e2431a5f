// The names that SET takes: keys of pgsluice's configuration as SHOW CONFIG lists them, PgBouncer's options where one
// key means the same, and PostgreSQL's settings that drivers set, which have no effect here.
#pragma once

#include <pgsluice/wire/sql_error.hpp>

#include <string>
#include <string_view>
#include <variant>

namespace pgsluice::admin {

// A driver or tool sets it at its beginning, and may.
bool is_borne(std::string_view setting);

struct Assignment {
    std::string key, value;  // as config::set() takes them
};
// An error where a name of PgBouncer's has no one key for it. Other names pass as they are.
std::variant<Assignment, wire::SqlError> assignment(const std::string& name, const std::string& value);

}  // namespace pgsluice::admin
