// Where PostgreSQL looks for a name without a schema: the list of search_path, with pg_catalog and the temporary schema
// in front of it, written there or not. Which of them has the name cannot be told from here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::policy {

class SearchPath {
  public:
    // Of a session of which nothing is known: leads everywhere.
    SearchPath() = default;
    // `value` as SHOW search_path prints it, `user` what "$user" stands for. One that cannot be read leads everywhere.
    SearchPath(std::string_view value, std::string_view user);

    // Whether a name without a schema may be found in one that the glob matches.
    bool may_lead_to(std::string_view schema_glob) const;
    // Whether it can only be found in such, if pg_catalog does not have it. A temporary table of the session's own is
    // no reason to doubt.
    bool leads_only_to(std::string_view schema_glob) const;

  private:
    std::optional<std::vector<std::string>> schemas_;
};

}  // namespace pgsluice::policy
