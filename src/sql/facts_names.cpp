// Names: which relation, CTE or derived table each stands for, and what is noted of it.
#include "facts_reader.hpp"

#include <algorithm>

namespace pgsluice::sql {
namespace {

template <class Thing>
void add_once(std::vector<Thing>& things, Thing thing) {
    if (std::find(things.begin(), things.end(), thing) == things.end()) things.push_back(std::move(thing));
}

}  // namespace

// A name of WITH is known to the queries behind it, and with RECURSIVE to all of them.
void FactsReader::read_ctes(PgQuery__WithClause* with, Scope& scope) {
    if (with == nullptr) return;
    std::vector<PgQuery__CommonTableExpr*> ctes;
    for (std::size_t i = 0; i < with->n_ctes; ++i) ctes.push_back(with->ctes[i]->common_table_expr);
    if (with->recursive != 0) {
        for (const auto* cte : ctes) scope.ctes.emplace_back(cte->ctename);
    }
    for (auto* cte : ctes) {
        read_one(cte->ctequery, &scope);
        if (with->recursive == 0) scope.ctes.emplace_back(cte->ctename);
    }
}

void FactsReader::read_sources(PgQuery__Node** items, std::size_t count, Scope& scope) {
    for (std::size_t i = 0; i < count; ++i) add_source(items[i], scope);
}

FactsReader::Source FactsReader::source_of(const PgQuery__RangeVar& relation, bool is_relation) const {
    const bool has_alias = relation.alias != nullptr;
    return {has_alias ? relation.alias->aliasname : relation.relname, is_relation ? relation.relname : "",
            has_alias && relation.alias->n_colnames > 0};
}

void FactsReader::add_source(PgQuery__Node* item, Scope& scope) {
    if (item == nullptr) return;
    const auto name_of = [](const PgQuery__Alias* alias) { return alias == nullptr ? "" : alias->aliasname; };
    switch (item->node_case) {
        case PG_QUERY__NODE__NODE_RANGE_VAR: {
            const bool is_relation = !is_cte(*item->range_var, &scope);
            if (is_relation) note(item->range_var, Use::read);
            scope.sources.push_back(source_of(*item->range_var, is_relation));
            return;
        }
        case PG_QUERY__NODE__NODE_JOIN_EXPR: return add_join(*item->join_expr, scope);
        case PG_QUERY__NODE__NODE_RANGE_TABLE_SAMPLE:
            add_source(item->range_table_sample->relation, scope);
            read_list(item->range_table_sample->args, item->range_table_sample->n_args, &scope);
            return;
        case PG_QUERY__NODE__NODE_RANGE_SUBSELECT:
            read_one(item->range_subselect->subquery, &scope);
            scope.sources.push_back({name_of(item->range_subselect->alias), "", false});
            return;
        case PG_QUERY__NODE__NODE_RANGE_FUNCTION:
            read_list(item->range_function->functions, item->range_function->n_functions, &scope);
            scope.sources.push_back({name_of(item->range_function->alias), "", false});
            return;
        default:
            read_one(item, &scope);
            if (item->node_case == PG_QUERY__NODE__NODE_RANGE_TABLE_FUNC) {
                scope.sources.push_back({name_of(item->range_table_func->alias), "", false});
            }
    }
}

void FactsReader::add_join(PgQuery__JoinExpr& join, Scope& scope) {
    const std::size_t before = scope.sources.size();
    add_source(join.larg, scope);
    add_source(join.rarg, scope);
    for (std::size_t i = 0; i < join.n_using_clause; ++i) note_column("", join.using_clause[i]->string->sval);
    if (join.is_natural != 0) {
        for (std::size_t i = before; i < scope.sources.size(); ++i) {
            if (!scope.sources[i].relation.empty()) note_column(scope.sources[i].relation, "*");
        }
    }
    read_one(join.quals, &scope);
    for (const PgQuery__Alias* alias : {join.alias, join.join_using_alias}) {
        if (alias != nullptr) scope.sources.push_back({alias->aliasname, "", true});
    }
}

// It is never a CTE, whatever its name.
void FactsReader::add_target(PgQuery__RangeVar* target, Use use, Scope& scope) {
    note(target, use);
    scope.sources.push_back(source_of(*target, true));
}

void FactsReader::read_assignments(PgQuery__Node** items, std::size_t count, const std::string& relation,
                                   const Scope& scope) {
    for (std::size_t i = 0; i < count; ++i) {
        if (items[i]->node_case != PG_QUERY__NODE__NODE_RES_TARGET) {
            read_one(items[i], &scope);
            continue;
        }
        PgQuery__ResTarget& target = *items[i]->res_target;
        note_column(relation, target.name);
        read_list(target.indirection, target.n_indirection, &scope);
        read_one(target.val, &scope);
    }
}

bool FactsReader::is_cte(const PgQuery__RangeVar& relation, const Scope* scope) const {
    if (relation.schemaname[0] != '\0') return false;
    for (; scope != nullptr; scope = scope->outer) {
        if (std::find(scope->ctes.begin(), scope->ctes.end(), relation.relname) != scope->ctes.end()) return true;
    }
    return false;
}

void FactsReader::note(const PgQuery__RangeVar* relation, Use use) {
    if (relation != nullptr) note(relation->schemaname, relation->relname, use);
}

void FactsReader::note(const std::string& schema, const std::string& name, Use use) {
    auto found = std::find_if(facts_.relations.begin(), facts_.relations.end(),
                              [&](const Relation& each) { return each.schema == schema && each.name == name; });
    if (found == facts_.relations.end()) {
        facts_.relations.push_back({schema, name});
        found = facts_.relations.end() - 1;
    }
    const bool reads = use == Use::read || use == Use::both;
    const bool writes = use == Use::written || use == Use::both;
    reads_a_relation_ |= reads;
    found->is_read |= reads;
    found->is_written |= writes && !is_dry_;
}

void FactsReader::note_column(const std::string& relation, const std::string& name) {
    add_once(facts_.columns, {relation, name});
}

void FactsReader::note_function(const PgQuery__FuncCall& call) {
    if (call.n_funcname == 0) return;
    const std::string schema = call.n_funcname > 1 ? call.funcname[call.n_funcname - 2]->string->sval : "";
    add_once(facts_.functions, {schema, call.funcname[call.n_funcname - 1]->string->sval});
}

void FactsReader::note_reference(const PgQuery__ColumnRef& reference, const Scope* scope) {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < reference.n_fields; ++i) {
        const PgQuery__Node& field = *reference.fields[i];
        parts.emplace_back(field.node_case == PG_QUERY__NODE__NODE_STRING ? field.string->sval : "*");
    }
    if (parts.empty()) return;
    if (parts.size() == 1 && parts[0] == "*") return note_everything(scope);
    if (parts.size() == 2) return note_qualified(parts[0], parts[1], scope);
    // With a schema, a relation is meant by its own name.
    if (parts.size() > 2) return note_column(parts[parts.size() - 2], parts.back());

    std::vector<const Source*> sources;
    for (const Scope* at = scope; at != nullptr; at = at->outer) {
        for (const Source& source : at->sources) sources.push_back(&source);
    }
    // The name of a relation is its whole row, unless a column has it.
    for (const Source* source : sources) {
        if (source->name == parts[0] && !source->relation.empty()) note_column(source->relation, "*");
    }
    if (sources.size() == 1)
        note_qualified(sources[0]->name, parts[0], scope);
    else
        note_column("", parts[0]);
}

void FactsReader::note_qualified(const std::string& qualifier, const std::string& name, const Scope* scope) {
    for (const Scope* at = scope; at != nullptr; at = at->outer) {
        for (const Source& source : at->sources) {
            if (source.name != qualifier) continue;
            if (!source.relation.empty())
                note_column(source.relation, source.is_any ? "*" : name);
            else if (source.is_any)
                note_column("", name);
            return;
        }
    }
    note_column(qualifier, name);
}

void FactsReader::note_everything(const Scope* scope) {
    if (scope == nullptr) return note_column("", "*");
    for (const Source& source : scope->sources) {
        if (!source.relation.empty()) note_column(source.relation, "*");
    }
}

}  // namespace pgsluice::sql
