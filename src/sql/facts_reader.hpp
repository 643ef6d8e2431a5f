// The walk over a tree that finds its facts. Names are resolved as far as the text tells: which alias stands for which
// relation, and which name is a CTE's.
#pragma once

#include "parse_tree.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace pgsluice::sql {

class FactsReader {
  public:
    FactsReader(ByteView text, Facts& facts) : text_(text), facts_(facts) {}

    void read(const PgQuery__ParseResult& tree);

  private:
    // What one name stands for in a FROM list.
    struct Source {
        std::string name;      // the alias, else the relation's own
        std::string relation;  // empty: not a relation, so its columns are noted where they come from
        bool is_any = false;   // columns go by names of the text's own, or a join's: they may be any of anybody
    };
    // The names that one query sees besides those of the queries around it.
    struct Scope {
        const Scope* outer = nullptr;
        std::vector<std::string> ctes;
        std::vector<Source> sources;
    };
    enum class Use : std::uint8_t { named, read, written, both };

    // A statement in its own right: what it does the text does.
    void read_statement(const PgQuery__Node* node, const Scope* scope);
    void read_message(Message& message, const Scope* scope);
    void read_below(Message& message, const Scope* scope);
    void read_list(PgQuery__Node** items, std::size_t count, const Scope* scope);
    void read_one(PgQuery__Node* node, const Scope* scope);

    void read_select(PgQuery__SelectStmt& select, const Scope* outer);
    void read_insert(PgQuery__InsertStmt& insert, const Scope* outer);
    void read_update(PgQuery__UpdateStmt& update, const Scope* outer);
    void read_delete(PgQuery__DeleteStmt& gone, const Scope* outer);
    void read_merge(PgQuery__MergeStmt& merge, const Scope* outer);
    void read_copy(PgQuery__CopyStmt& copy, const Scope* scope);
    void read_explain(PgQuery__ExplainStmt& explain, const Scope* scope);
    void read_drop(const PgQuery__DropStmt& drop);
    void read_utility(Message& message, const Scope* scope);
    void read_ctes(PgQuery__WithClause* with, Scope& scope);
    void read_sources(PgQuery__Node** items, std::size_t count, Scope& scope);
    void add_source(PgQuery__Node* item, Scope& scope);
    void add_join(PgQuery__JoinExpr& join, Scope& scope);
    Source source_of(const PgQuery__RangeVar& relation, bool is_relation) const;
    // The relation that a statement changes, as a source of its own columns.
    void add_target(PgQuery__RangeVar* target, Use use, Scope& scope);
    void read_assignments(PgQuery__Node** items, std::size_t count, const std::string& relation, const Scope& scope);

    void note(const PgQuery__RangeVar* relation, Use use);
    void note(const std::string& schema, const std::string& name, Use use);
    void note_column(const std::string& relation, const std::string& name);
    void note_function(const PgQuery__FuncCall& call);
    void note_reference(const PgQuery__ColumnRef& reference, const Scope* scope);
    void note_qualified(const std::string& qualifier, const std::string& name, const Scope* scope);
    void note_everything(const Scope* scope);
    bool is_cte(const PgQuery__RangeVar& relation, const Scope* scope) const;

    ByteView text_;
    Facts& facts_;
    bool is_dry_ = false;            // inside of what is only explained
    bool reads_a_relation_ = false;  // the statement that is being read
};

}  // namespace pgsluice::sql
