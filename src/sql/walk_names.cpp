// Columns, functions, relations and parameters where they are named.
#include "walk.hpp"

#include <algorithm>
#include <array>

namespace pgsluice::sql {

namespace {

// u.to_json is to_json(u) where u has no column of that name: functions of PostgreSQL that take a whole row, whatever
// its type, and tell what is in it.
bool shows_whole_row(std::string_view name) {
    static constexpr std::array<std::string_view, 18> functions{
        "any_value",         "array_agg",       "concat",           "hash_record", "hash_record_extended",
        "json_agg",          "json_agg_strict", "json_build_array", "jsonb_agg",   "jsonb_agg_strict",
        "jsonb_build_array", "quote_literal",   "quote_nullable",   "record_out",  "record_send",
        "row_to_json",       "to_json",         "to_jsonb"};
    return std::find(functions.begin(), functions.end(), name) != functions.end();
}

// Functions of PostgreSQL that write, or that take locks which mean nothing on another server.
bool writes_by_itself(std::string_view name) {
    static constexpr std::array<std::string_view, 7> functions{
        "lowrite", "nextval", "pg_current_xact_id", "pg_logical_emit_message", "pg_notify", "setval", "txid_current"};
    return name.starts_with("lo_") || name.starts_with("pg_advisory_") || name.starts_with("pg_try_advisory_") ||
           std::find(functions.begin(), functions.end(), name) != functions.end();
}

bool is_star(const PgQuery__Node* field) {
    return field != nullptr && field->node_case == PG_QUERY__NODE__NODE_A_STAR;
}

std::string_view column_name(const PgQuery__Node* field) {
    return is_star(field) ? std::string_view("*") : text(field);
}

void add_unqualified(Walk& walk, const Scope& scope, std::string_view name) {
    // The name of an entry is its whole row, unless there is a column of that name.
    const Entry* row = scope.find(name);
    const bool is_row = row != nullptr && row->source != Entry::Source::derived;
    if (is_row) walk.add_column(row->relation, "*");
    const Scope::Owner owner = scope.owner_of_column();
    const bool is_covered = is_row && owner.relation == row->relation;
    if (owner.exists && !is_covered) walk.add_column(owner.relation, name);
}

void add_qualified(Walk& walk, const Scope& scope, NodeList fields, bool happens) {
    const std::string_view name = column_name(fields.nodes[fields.count - 1]);
    const std::string_view qualifier = text(fields.nodes[fields.count - 2]);
    const bool has_schema = fields.count > 2;
    const Entry* entry = has_schema ? nullptr : scope.find(qualifier);
    // The row of a function in FROM may be a plain value, and x.name a call with it.
    const bool is_call = entry != nullptr && entry->source == Entry::Source::unknown;
    if (is_call || shows_whole_row(name)) walk.add_function("", name);
    if (is_call && happens && writes_by_itself(name)) walk.facts().may_write = true;
    if (entry != nullptr && entry->source == Entry::Source::derived) return;
    std::string_view relation = entry == nullptr ? std::string_view() : entry->relation;
    if (has_schema) relation = qualifier;
    walk.add_column(relation, name);
    if (shows_whole_row(name)) walk.add_column(relation, "*");
}

void step_column(Walk& walk, const PgQuery__ColumnRef& column, const Place& place) {
    const NodeList fields{column.n_fields, column.fields};
    if (fields.empty()) return;
    if (fields.count > 1) return add_qualified(walk, *place.scope, fields, place.happens);
    if (is_star(fields.nodes[0])) return walk.add_star(*place.scope);
    add_unqualified(walk, *place.scope, text(fields.nodes[0]));
}

// (x).name: a field of x, or name(x); (x).*: all fields.
void step_indirection(Walk& walk, const PgQuery__AIndirection& fields, const Place& place) {
    for (const PgQuery__Node* field : NodeList{fields.n_indirection, fields.indirection}) {
        if (is_star(field)) {
            walk.add_column("", "*");
            walk.facts().has_rows_of_functions = true;
        }
        const std::string_view name = text(field);
        if (name.empty()) continue;
        walk.add_column("", name);
        walk.add_function("", name);
        walk.facts().has_rows_of_functions = true;
        if (place.happens && writes_by_itself(name)) walk.facts().may_write = true;
    }
    walk.children_later(fields.base, place);
}

void step_call(Walk& walk, const PgQuery__FuncCall& call, const Place& place) {
    const NodeList parts{call.n_funcname, call.funcname};
    const std::string_view name = parts.empty() ? std::string_view() : text(parts.nodes[parts.count - 1]);
    // EXTRACT(...) and its like have a schema that nobody wrote.
    const bool is_written = call.funcformat != PG_QUERY__COERCION_FORM__COERCE_SQL_SYNTAX && parts.count > 1;
    walk.add_function(is_written ? text(parts.nodes[parts.count - 2]) : std::string_view(), name);
    if (place.happens && writes_by_itself(name)) walk.facts().may_write = true;
    walk.children_later(call.base, place);
}

void step_relation(Walk& walk, const PgQuery__RangeVar& relation, const Place& place) {
    walk.add(relation, place);
}

void step_parameter(Walk& walk, const PgQuery__ParamRef& parameter, const Place&) {
    if (parameter.number <= 0) return;
    walk.facts().parameters = std::max(walk.facts().parameters, static_cast<std::uint32_t>(parameter.number));
}

}  // namespace

const Steps& name_steps() {
    static const Steps steps{
        {&pg_query__column_ref__descriptor, step_of<PgQuery__ColumnRef, step_column>},
        {&pg_query__a__indirection__descriptor, step_of<PgQuery__AIndirection, step_indirection>},
        {&pg_query__func_call__descriptor, step_of<PgQuery__FuncCall, step_call>},
        {&pg_query__range_var__descriptor, step_of<PgQuery__RangeVar, step_relation>},
        {&pg_query__param_ref__descriptor, step_of<PgQuery__ParamRef, step_parameter>},
    };
    return steps;
}

}  // namespace pgsluice::sql
