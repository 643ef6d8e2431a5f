// Which names stand for what at a place in a query, by PostgreSQL's rules (src/backend/parser/parse_relation.c), as far
// as they go without a catalog. Scopes are made by a Walk, which owns them; strings are views into the parse tree. A
// scope has all its names before another is made in it, and knows what it takes from those around: they may be many.
#pragma once

#include <cstddef>
#include <map>
#include <set>
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
    explicit Scope(const Scope* parent);

    // The names in a FROM list see each other only by LATERAL; what is not lateral sees what the query around it has.
    static Scope of_query(const Scope* around);
    // Inside a join with an alias, whose parts are not seen outside it.
    static Scope of_join(const Scope* around);

    void add_cte(std::string_view name) { ctes_.insert(name); }
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
    const Entry* find_here(std::string_view alias) const;

    const Scope* beyond_from_;
    // The next ones around that have any.
    const Scope* entries_around_ = nullptr;
    const Scope* ctes_around_ = nullptr;
    std::set<std::string_view> ctes_;
    std::vector<Entry> entries_;
    std::map<std::string_view, std::size_t> by_alias_;  // where entries are many: the first of each alias
    // Of the entries, and those around.
    bool has_derived_ = false;
    bool has_many_ = false;           // relations, or rows that may be anybody's
    std::string_view only_relation_;  // where they have one
};

}  // namespace pgsluice::sql
