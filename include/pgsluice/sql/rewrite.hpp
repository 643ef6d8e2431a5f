// Statements changed as trees: parsed, edited, and written out again by libpg_query's deparser. What the text was like
// in spaces, comments and spelling is lost; what it means, but for the edits, is not.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/sql/facts.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <variant>

namespace pgsluice::sql {

struct Edits {
    // Relations by their names as they are written, "orders" or "app.orders", and what stands there instead. The old
    // name goes on as an alias, so that "orders.id" still finds its table. A text that gives
    // one of the names to a CTE is not edited.
    std::map<std::string, std::string> tables;
    // Schemas of relations and functions that are written with one.
    std::map<std::string, std::string> schemas;
    // For a query that returns rows and has no LIMIT of its own; 0: none. Not where it locks rows or fetches by cursor.
    std::uint64_t limit = 0;

    bool empty() const { return tables.empty() && schemas.empty() && limit == 0; }
};

// The text after the edits; the very same text where there is nothing to edit in it.
std::variant<std::string, Unparsable> edited(ByteView text, const Edits& edits, Reading how);

}  // namespace pgsluice::sql
