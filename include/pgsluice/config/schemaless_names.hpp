// What auth.query's statement leaves to the search_path, which is pinned to pg_catalog where it runs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::config {

// Tables and functions in FROM, and functions of the user in the list of columns, that are written without a schema and
// are hardly PostgreSQL's own. Each once, as PostgreSQL folds it. It reads words and no grammar, so that it is good
// for advice only: what it is unsure of it leaves out.
std::vector<std::string> schemaless_names(std::string_view sql);

// What to do about them; empty where there are none.
std::string schemaless_advice(std::string_view sql);

}  // namespace pgsluice::config
