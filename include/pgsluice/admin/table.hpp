// What a command of the console answers with: columns with the types that PgBouncer gives them, and rows of text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::admin {

struct Column {
    std::string name;
    std::int32_t type;  // OID, as in pg_type
};
using Columns = std::vector<Column>;

using Row = std::vector<std::optional<std::string>>;  // nullopt: NULL

struct Table {
    Columns columns;
    std::vector<Row> rows;
};

// From "database s, pool_size i": a name and the letter of its type, s text, i int4, q int8, N numeric, b bytea.
Columns columns(std::string_view list);

}  // namespace pgsluice::admin
