// Which names stand for what at a place in a query, by PostgreSQL's rules (src/backend/parser/parse_relation.c), as far
// as they go without a catalog. Scopes are made by a Walk, which owns them; strings are views into the parse tree.
#pragma once

#include <string_view>
#include <vector>

namespace pgsluice::sql {

// One of a FROM list, or a target.
struct Entry {
    enum class Source {
        relation,
        derived,  // a subquery or CTE: its columns were reported where it reads them
        unknown,  // a function, or a join with an alias: the columns may be anybody's
    };
    std::string_view alias;  // what it goes by
    Source source = Source::unknown;
    std::string_view relation;  // a relation's own name
};

class Scope {
  public:
    explicit Scope(const Scope* parent) : parent_(parent), beyond_from_(this) {}

    // The names in a FROM list see each other only by LATERAL; what is not lateral sees what the query around it has.
    static Scope of_query(const Scope* around);
    // Inside a join with an alias, whose parts are not seen outside it.
    static Scope of_join(const Scope* around);

    void add_cte(std::string_view name) { ctes_.push_back(name); }
    void add(Entry entry);

    bool sees_cte(std::string_view name) const;
    // By what it goes by, innermost first; nullptr where nothing does.
    const Entry* find(std::string_view alias) const;
    // Whose column a name without a qualifier may be.
    struct Owner {
        bool exists = true;         // false: only subqueries and CTEs can have it
        std::string_view relation;  // empty: more than one
    };
    Owner owner_of_column() const;
    const std::vector<Entry>& entries() const { return entries_; }
    const Scope* beyond_from() const { return beyond_from_; }

  private:
    const Scope* parent_;
    const Scope* beyond_from_;
    std::vector<std::string_view> ctes_;
    std::vector<Entry> entries_;
    bool has_derived_ = false, has_unknown_ = false, has_many_ = false;
    std::string_view only_relation_;
};

}  // namespace pgsluice::sql
