// SELECT, VALUES and TABLE: WITH, FROM, and what they bring into scope.
#include "walk.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace pgsluice::sql {

namespace {

std::string_view alias_of(const PgQuery__Alias* alias, std::string_view otherwise) {
    return alias == nullptr ? otherwise : text(alias->aliasname);
}

bool renames_columns(const PgQuery__Alias* alias) {
    return alias != nullptr && alias->n_colnames != 0;
}

Entry entry_of(Walk& walk, const Scope& scope, const PgQuery__RangeVar& relation) {
    const std::string_view name = text(relation.relname);
    const bool is_cte = text(relation.schemaname).empty() && scope.sees_cte(name);
    // Under new names any column may be meant by any name.
    if (!is_cte && renames_columns(relation.alias)) walk.add_column(name, "*");
    return {.alias = alias_of(relation.alias, name),
            .source = is_cte ? Entry::Source::derived : Entry::Source::relation,
            .relation = is_cte ? std::string_view() : name};
}

// Without an alias a function goes by its own name.
std::string_view name_of(const PgQuery__RangeFunction& range) {
    if (range.n_functions == 0) return {};
    const auto* pair = as<PgQuery__List>(unwrapped(range.functions[0]), pg_query__list__descriptor);
    if (pair == nullptr || pair->n_items == 0) return {};
    const auto* call = as<PgQuery__FuncCall>(unwrapped(pair->items[0]), pg_query__func_call__descriptor);
    return call == nullptr || call->n_funcname == 0 ? std::string_view() : text(call->funcname[call->n_funcname - 1]);
}

bool is_of_postgresql(const PgQuery__FuncCall& call) {
    static constexpr std::array<std::string_view, 21> functions{"generate_series",
                                                                "generate_subscripts",
                                                                "json_array_elements",
                                                                "json_array_elements_text",
                                                                "json_each",
                                                                "json_each_text",
                                                                "json_object_keys",
                                                                "json_to_record",
                                                                "json_to_recordset",
                                                                "jsonb_array_elements",
                                                                "jsonb_array_elements_text",
                                                                "jsonb_each",
                                                                "jsonb_each_text",
                                                                "jsonb_object_keys",
                                                                "jsonb_path_query",
                                                                "jsonb_to_record",
                                                                "jsonb_to_recordset",
                                                                "regexp_matches",
                                                                "regexp_split_to_table",
                                                                "string_to_table",
                                                                "unnest"};
    const NodeList parts{call.n_funcname, call.funcname};
    if (parts.count > 1) return text(parts.nodes[parts.count - 2]) == "pg_catalog";
    return std::find(functions.begin(), functions.end(), text(parts.nodes[0])) != functions.end();
}

// Whether the rows are made of what the functions are given: CURRENT_DATE and its like are no calls.
bool makes_rows_of_arguments(const PgQuery__RangeFunction& range) {
    const NodeList functions{range.n_functions, range.functions};
    return std::all_of(functions.begin(), functions.end(), [](const PgQuery__Node* each) {
        const auto* pair = as<PgQuery__List>(unwrapped(each), pg_query__list__descriptor);
        if (pair == nullptr || pair->n_items == 0) return false;
        const auto* call = as<PgQuery__FuncCall>(unwrapped(pair->items[0]), pg_query__func_call__descriptor);
        return call == nullptr || (call->n_funcname > 0 && is_of_postgresql(*call));
    });
}

void step_select(Walk& walk, const PgQuery__SelectStmt& select, const Place& at) {
    const Place place = at.reading();
    const Scope* around = with_scope(walk, select.with_clause, place);
    if (select.into_clause != nullptr) walk.later(&select.into_clause->base, at.in(around));
    Scope* scope = walk.keep(Scope::of_query(around));
    for (const PgQuery__Node* from : NodeList{select.n_from_clause, select.from_clause}) {
        add_entries(walk, *scope, unwrapped(from));
    }
    for_each_child(select.base, [&](const Message& child) {
        const bool is_done = &child == message_of(select.with_clause) || &child == message_of(select.into_clause);
        if (!is_done) walk.later(&child, place.in(scope));
    });
}

void step_into(Walk& walk, const PgQuery__IntoClause& into, const Place& place) {
    Place target = place.writing();
    target.reads = false;
    walk.children_later(into.base, target);
}

void step_subselect(Walk& walk, const PgQuery__RangeSubselect& range, const Place& place) {
    const Scope* sees = range.lateral ? place.scope : place.scope->beyond_from();
    walk.later(message_of(range.subquery), place.in(sees));
}

void step_join(Walk& walk, const PgQuery__JoinExpr& join, const Place& place) {
    Place inside = place;
    if (join.alias != nullptr) {
        Scope* scope = walk.keep(Scope::of_join(place.scope));
        add_entries(walk, *scope, unwrapped(join.larg));
        add_entries(walk, *scope, unwrapped(join.rarg));
        inside = place.in(scope);
    }
    for (const PgQuery__Node* name : NodeList{join.n_using_clause, join.using_clause}) walk.add_column("", text(name));
    // It compares columns that it does not name; and new names hide which is which.
    if (join.is_natural || renames_columns(join.alias)) walk.add_column("", "*");
    walk.children_later(join.base, inside);
}

void step_locking(Walk& walk, const PgQuery__LockingClause&, const Place& place) {
    // What it names are aliases of the FROM list.
    if (!place.happens) return;
    walk.facts().locks_rows = true;
    walk.facts().may_write = true;
}

}  // namespace

const Scope* with_scope(Walk& walk, const PgQuery__WithClause* with, const Place& place) {
    if (with == nullptr) return place.scope;
    const NodeList ctes{with->n_ctes, with->ctes};
    Scope* scope = walk.keep(Scope(place.scope));
    if (with->recursive) {
        for (const PgQuery__Node* cte : ctes) scope->add_cte(text(cte->common_table_expr->ctename));
        walk.later(ctes, place.reading().in(scope));
        return scope;
    }
    // Each sees those before it.
    for (const PgQuery__Node* cte : ctes) {
        walk.later(message_of(cte), place.reading().in(scope));
        scope = walk.keep(Scope(scope));
        scope->add_cte(text(cte->common_table_expr->ctename));
    }
    return scope;
}

void add_entries(Walk& walk, Scope& scope, const Message* from) {
    using Source = Entry::Source;
    std::vector<const Message*> left{from};
    while (!left.empty()) {
        const Message* item = left.back();
        left.pop_back();
        if (const auto* relation = as<PgQuery__RangeVar>(item, pg_query__range_var__descriptor)) {
            scope.add(entry_of(walk, scope, *relation));
        } else if (const auto* sample = as<PgQuery__RangeTableSample>(item, pg_query__range_table_sample__descriptor)) {
            left.push_back(unwrapped(sample->relation));
        } else if (const auto* query = as<PgQuery__RangeSubselect>(item, pg_query__range_subselect__descriptor)) {
            scope.add({.alias = alias_of(query->alias, {}), .source = Source::derived, .relation = {}});
        } else if (const auto* table = as<PgQuery__RangeTableFunc>(item, pg_query__range_table_func__descriptor)) {
            scope.add({.alias = alias_of(table->alias, "xmltable"), .source = Source::derived, .relation = {}});
        } else if (const auto* call = as<PgQuery__RangeFunction>(item, pg_query__range_function__descriptor)) {
            scope.add({.alias = alias_of(call->alias, name_of(*call)), .source = Source::unknown, .relation = {}});
            if (!makes_rows_of_arguments(*call)) walk.facts().has_rows_of_functions = true;
        } else if (const auto* join = as<PgQuery__JoinExpr>(item, pg_query__join_expr__descriptor)) {
            const PgQuery__Alias* alias = join->alias == nullptr ? join->join_using_alias : join->alias;
            if (alias != nullptr)
                scope.add({.alias = text(alias->aliasname), .source = Source::unknown, .relation = {}});
            if (join->alias != nullptr) continue;
            left.push_back(unwrapped(join->rarg));
            left.push_back(unwrapped(join->larg));
        }
    }
}

const Steps& query_steps() {
    static const Steps steps{
        {&pg_query__select_stmt__descriptor, step_of<PgQuery__SelectStmt, step_select>},
        {&pg_query__into_clause__descriptor, step_of<PgQuery__IntoClause, step_into>},
        {&pg_query__range_subselect__descriptor, step_of<PgQuery__RangeSubselect, step_subselect>},
        {&pg_query__join_expr__descriptor, step_of<PgQuery__JoinExpr, step_join>},
        {&pg_query__locking_clause__descriptor, step_of<PgQuery__LockingClause, step_locking>},
    };
    return steps;
}

}  // namespace pgsluice::sql
