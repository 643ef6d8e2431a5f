// The part of a rule's condition that is about what a statement does. Of a rule that blocks or notes, one thing in the
// text that fits is enough. A rule that allows must fit all that the text does: else "select 1; drop table t" would
// pass by a rule that allows SELECT.
#pragma once

#include "glob.hpp"
#include "search_path.hpp"

#include <pgsluice/config/config.hpp>
#include <pgsluice/sql/facts.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pgsluice::policy {

class SqlCondition {
  public:
    // What is wrong: the place below `when` ("statements[1]"), and a sentence.
    using Errors = std::vector<std::pair<std::string, std::string>>;

    SqlCondition() = default;
    SqlCondition(const config::PolicyCondition& when, bool fits_all, Errors& errors);

    // Nothing is asked: every statement meets it.
    bool empty() const { return is_empty_; }
    bool fits_all() const { return fits_all_; }
    // Whether the answer depends on the session's search_path.
    bool asks_for_schemas() const;
    // Whether it names something that is not ASCII, and so not the same bytes in every encoding.
    bool names_beyond_ascii() const;
    // The key of the first part that is not met; nullptr where all are.
    const char* unmet(const sql::Facts& facts, const SearchPath& path) const;
    bool matches(const sql::Facts& facts, const SearchPath& path) const { return unmet(facts, path) == nullptr; }

  private:
    using Patterns = std::vector<NamePattern>;

    bool matches_kinds(const sql::Facts& facts) const;
    bool matches_tables(const sql::Facts& facts, const SearchPath& path) const;
    bool matches_those(const Patterns& patterns, bool sql::Relation::*how, const sql::Facts& facts,
                       const SearchPath& path) const;
    bool matches_functions(const sql::Facts& facts, const SearchPath& path) const;
    bool matches_columns(const sql::Facts& facts) const;

    sql::Kinds kinds_;
    Patterns tables_, reads_, writes_, functions_, columns_;
    std::vector<std::uint64_t> fingerprints_;
    bool without_where_ = false, without_limit_ = false;
    bool fits_all_ = false;
    bool is_empty_ = true;
};

}  // namespace pgsluice::policy
