// INSERT, UPDATE, DELETE, MERGE and COPY.
#include "command_tag.hpp"
#include "walk.hpp"

namespace pgsluice::sql {

namespace {

// A CTE's statement is not one of the text's, and counts all the same.
void count(Walk& walk, const Message& statement, const Place& place) {
    if (!place.happens) return;
    walk.facts().kinds |= kinds_of_statement(statement);
    walk.facts().may_write = true;
}

// Names of a target's columns, and the values and subscripts beside them.
void assign(Walk& walk, std::string_view relation, NodeList targets, const Place& place) {
    for (const PgQuery__Node* node : targets) {
        const auto* target = as<PgQuery__ResTarget>(unwrapped(node), pg_query__res_target__descriptor);
        if (target != nullptr) walk.add_column(relation, text(target->name));
        walk.later(message_of(node), place);
    }
}

Place target_of(const Place& place, bool is_read) {
    Place target = place.writing();
    target.reads = is_read;
    return target;
}

void step_insert(Walk& walk, const PgQuery__InsertStmt& insert, const Place& at) {
    count(walk, insert.base, at);
    const Place place = at.reading();
    const Scope* around = with_scope(walk, insert.with_clause, place);
    const std::string_view name = text(insert.relation->relname);
    const PgQuery__OnConflictClause* conflict = insert.on_conflict_clause;
    const bool updates = conflict != nullptr && conflict->action == PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_UPDATE;
    walk.add(*insert.relation, target_of(place.in(around), updates || insert.n_returning_list != 0));
    assign(walk, name, {insert.n_cols, insert.cols}, place.in(around));
    if (insert.n_cols == 0 && insert.select_stmt != nullptr) walk.add_column(name, "*");
    walk.later(message_of(insert.select_stmt), place.in(around));

    Scope* after = walk.keep(Scope::of_query(around));
    after->add(entry_of(*insert.relation));
    if (conflict != nullptr) {
        after->add({.alias = "excluded", .source = Entry::Source::relation, .relation = name});
        assign(walk, name, {conflict->n_target_list, conflict->target_list}, place.in(after));
        walk.later(message_of(conflict->infer), place.in(after));
        walk.later(message_of(conflict->where_clause), place.in(after));
    }
    walk.later({insert.n_returning_list, insert.returning_list}, place.in(after));
}

// ON CONFLICT (name) compares.
void step_index_element(Walk& walk, const PgQuery__IndexElem& element, const Place& place) {
    const std::string_view name = text(element.name);
    if (place.reads && !name.empty()) walk.add_owned_column(*place.scope, name);
    walk.children_later(element.base, place);
}

void step_update(Walk& walk, const PgQuery__UpdateStmt& update, const Place& at) {
    count(walk, update.base, at);
    if (at.happens && update.where_clause == nullptr) walk.facts().without_where = true;
    const Place place = at.reading();
    const Scope* around = with_scope(walk, update.with_clause, place);
    walk.add(*update.relation, target_of(place.in(around), true));
    Scope* scope = walk.keep(Scope::of_query(around));
    scope->add(entry_of(*update.relation));
    for (const PgQuery__Node* from : NodeList{update.n_from_clause, update.from_clause}) {
        add_entries(walk, *scope, unwrapped(from));
    }
    const Place inside = place.in(scope);
    assign(walk, text(update.relation->relname), {update.n_target_list, update.target_list}, inside);
    walk.later({update.n_from_clause, update.from_clause}, inside);
    walk.later(message_of(update.where_clause), inside);
    walk.later({update.n_returning_list, update.returning_list}, inside);
}

void step_delete(Walk& walk, const PgQuery__DeleteStmt& remove, const Place& at) {
    count(walk, remove.base, at);
    if (at.happens && remove.where_clause == nullptr) walk.facts().without_where = true;
    const Place place = at.reading();
    const Scope* around = with_scope(walk, remove.with_clause, place);
    walk.add(*remove.relation, target_of(place.in(around), true));
    Scope* scope = walk.keep(Scope::of_query(around));
    scope->add(entry_of(*remove.relation));
    for (const PgQuery__Node* from : NodeList{remove.n_using_clause, remove.using_clause}) {
        add_entries(walk, *scope, unwrapped(from));
    }
    const Place inside = place.in(scope);
    walk.later({remove.n_using_clause, remove.using_clause}, inside);
    walk.later(message_of(remove.where_clause), inside);
    walk.later({remove.n_returning_list, remove.returning_list}, inside);
}

void step_merge(Walk& walk, const PgQuery__MergeStmt& merge, const Place& at) {
    count(walk, merge.base, at);
    const Place place = at.reading();
    const Scope* around = with_scope(walk, merge.with_clause, place);
    const std::string_view name = text(merge.relation->relname);
    walk.add(*merge.relation, target_of(place.in(around), true));
    Scope* scope = walk.keep(Scope::of_query(around));
    scope->add(entry_of(*merge.relation));
    add_entries(walk, *scope, unwrapped(merge.source_relation));
    const Place inside = place.in(scope);
    walk.later(message_of(merge.source_relation), inside);
    walk.later(message_of(merge.join_condition), inside);
    for (const PgQuery__Node* node : NodeList{merge.n_merge_when_clauses, merge.merge_when_clauses}) {
        const auto* when = as<PgQuery__MergeWhenClause>(unwrapped(node), pg_query__merge_when_clause__descriptor);
        if (when == nullptr) continue;
        walk.later(message_of(when->condition), inside);
        assign(walk, name, {when->n_target_list, when->target_list}, inside);
        if (when->n_target_list == 0 && when->n_values != 0) walk.add_column(name, "*");
        walk.later({when->n_values, when->values}, inside);
    }
}

void step_copy(Walk& walk, const PgQuery__CopyStmt& copy, const Place& place) {
    walk.statement_later(message_of(copy.query), place.reading());
    if (copy.relation == nullptr) return;
    const std::string_view name = text(copy.relation->relname);
    walk.add(*copy.relation, copy.is_from ? place.writing() : place.reading());
    for (const PgQuery__Node* column : NodeList{copy.n_attlist, copy.attlist}) walk.add_column(name, text(column));
    if (copy.n_attlist == 0) walk.add_column(name, "*");
    Scope* scope = walk.keep(Scope::of_query(place.scope));
    scope->add(entry_of(*copy.relation));
    walk.later(message_of(copy.where_clause), place.in(scope));
    walk.later({copy.n_options, copy.options}, place);
}

}  // namespace

Entry entry_of(const PgQuery__RangeVar& target) {
    const std::string_view name = text(target.relname);
    return {.alias = target.alias == nullptr ? name : text(target.alias->aliasname),
            .source = Entry::Source::relation,
            .relation = name};
}

const Steps& change_steps() {
    static const Steps steps{
        {&pg_query__insert_stmt__descriptor, step_of<PgQuery__InsertStmt, step_insert>},
        {&pg_query__index_elem__descriptor, step_of<PgQuery__IndexElem, step_index_element>},
        {&pg_query__update_stmt__descriptor, step_of<PgQuery__UpdateStmt, step_update>},
        {&pg_query__delete_stmt__descriptor, step_of<PgQuery__DeleteStmt, step_delete>},
        {&pg_query__merge_stmt__descriptor, step_of<PgQuery__MergeStmt, step_merge>},
        {&pg_query__copy_stmt__descriptor, step_of<PgQuery__CopyStmt, step_copy>},
    };
    return steps;
}

}  // namespace pgsluice::sql
