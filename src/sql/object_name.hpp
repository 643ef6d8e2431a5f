// What a type of object is called in command tags.
#pragma once

#include <pg_query/pg_query.pb-c.h>

#include <string_view>

namespace pgsluice::sql {

// "table", "foreign data wrapper" ...; empty where ALTER, CREATE and DROP have no tag of their own for it.
std::string_view object_name(PgQuery__ObjectType type);

}  // namespace pgsluice::sql
