// A walk over the parse tree of a statement that gathers facts. Steps for the nodes that matter are in walk_*.cpp; all
// others are only passed through, so that nothing below them is missed. The walk keeps its own stack: trees are as deep
// as their texts are long.
#pragma once

#include "node.hpp"
#include "scope.hpp"

#include <pgsluice/sql/facts.hpp>

#include <deque>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace pgsluice::sql {

// How a node is to be taken.
struct Place {
    const Scope* scope = nullptr;
    bool reads = false, writes = false;  // what is done to relations that are named here
    bool happens = true;                 // false: is only explained, or kept for later by a view, rule or function

    Place in(const Scope* other) const;
    Place reading() const;
    Place writing() const;
    Place kept() const;
};

class Walk {
  public:
    explicit Walk(Facts& facts) : facts_(facts) {}

    // Everything below a statement of the text. Whether it reads a relation.
    bool run(const Message& statement);

    // Steps call these, and leave nodes for later instead of going down.
    Facts& facts() { return facts_; }
    Scope* keep(Scope scope);
    void later(const Message* node, const Place& place);
    void later(NodeList nodes, const Place& place);
    void children_later(const Message& node, const Place& place);
    // A statement that is done, or kept, with the one around it: its kind counts.
    void statement_later(const Message* node, const Place& place);

    void add(const PgQuery__RangeVar& relation, const Place& place);
    void add_relation(std::string_view schema, std::string_view name, const Place& place);
    void add_function(std::string_view schema, std::string_view name);
    void add_column(std::string_view relation, std::string_view name);
    // All columns of all entries, as by "*".
    void add_star(const Scope& scope);
    void add_owned_column(const Scope& scope, std::string_view name);

  private:
    struct Left {
        const Message* node;
        Place place;
        bool is_statement;
    };
    void step(const Left& left);

    Facts& facts_;
    std::deque<Scope> scopes_;
    std::vector<Left> stack_, pushed_;
    std::unordered_map<std::string, std::size_t> relations_;
    std::unordered_set<std::string> functions_, columns_;
    std::unordered_set<const Scope*> starred_;
    bool has_read_ = false;  // in this run
};

// One step for a type of node.
using Step = void (*)(Walk&, const Message&, const Place&);
using Steps = std::unordered_map<const ProtobufCMessageDescriptor*, Step>;
const Steps& query_steps();
const Steps& change_steps();
const Steps& name_steps();
const Steps& utility_steps();

template <class Generated, void (*step)(Walk&, const Generated&, const Place&)>
void step_of(Walk& walk, const Message& node, const Place& place) {
    step(walk, reinterpret_cast<const Generated&>(node), place);  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast)
}

// Of WITH, FROM and assignments, which queries and changes share.
const Scope* with_scope(Walk& walk, const PgQuery__WithClause* with, const Place& place);
void add_entries(Walk& walk, Scope& scope, const Message* from);
Entry entry_of(const PgQuery__RangeVar& target);

// Effects that do not follow from the tree below a statement.
bool only_reads(const Message& statement);
// A query whose rows are returned and not limited; or a table, by COPY.
bool returns_without_limit(const Message& statement);

}  // namespace pgsluice::sql
