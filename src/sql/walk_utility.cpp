// Utility statements: those that hold other statements, and those that do more to a relation than to name it.
#include "walk.hpp"

namespace pgsluice::sql {

namespace {

bool is_off(std::string_view word) {
    return word == "off" || word == "false";
}

// PostgreSQL takes the last of several options; any that is on counts here.
bool runs(const PgQuery__ExplainStmt& explain) {
    for (const PgQuery__Node* node : NodeList{explain.n_options, explain.options}) {
        const auto* option = as<PgQuery__DefElem>(unwrapped(node), pg_query__def_elem__descriptor);
        if (option != nullptr && text(option->defname) == "analyze" && !is_off(text(option->arg))) return true;
    }
    return false;
}

void step_explain(Walk& walk, const PgQuery__ExplainStmt& explain, const Place& place) {
    walk.statement_later(message_of(explain.query), runs(explain) ? place : place.kept());
}

void step_prepare(Walk& walk, const PgQuery__PrepareStmt& prepare, const Place& place) {
    walk.statement_later(message_of(prepare.query), place);
}

void step_declare(Walk& walk, const PgQuery__DeclareCursorStmt& cursor, const Place& place) {
    walk.statement_later(message_of(cursor.query), place);
}

void step_create_as(Walk& walk, const PgQuery__CreateTableAsStmt& create, const Place& place) {
    walk.later(message_of(create.into), place);
    walk.statement_later(message_of(create.query), place);
}

void step_create_schema(Walk& walk, const PgQuery__CreateSchemaStmt& create, const Place& place) {
    for (const PgQuery__Node* element : NodeList{create.n_schema_elts, create.schema_elts}) {
        walk.statement_later(message_of(element), place);
    }
}

void step_kept(Walk& walk, const Message& statement, const Place& place) {
    walk.children_later(statement, place.kept());
}

// Rules and triggers see a row before and after.
const Scope* scope_of_rows(Walk& walk, const Place& place, const PgQuery__RangeVar& relation) {
    Scope* scope = walk.keep(Scope(place.scope));
    for (const std::string_view row : {"new", "old"}) {
        scope->add({.alias = row, .source = Entry::Source::relation, .relation = text(relation.relname)});
    }
    return scope;
}

void step_rule(Walk& walk, const PgQuery__RuleStmt& rule, const Place& place) {
    walk.children_later(rule.base, place.kept().in(scope_of_rows(walk, place, *rule.relation)));
}

struct Name {
    std::string_view schema, name;
};

// Of a list of strings, without the last `omitted` of them.
Name name_of(NodeList parts, std::size_t omitted = 0) {
    if (parts.count <= omitted) return {};
    const std::size_t count = parts.count - omitted;
    return {.schema = count > 1 ? text(parts.nodes[count - 2]) : std::string_view(),
            .name = text(parts.nodes[count - 1])};
}

void add_function(Walk& walk, NodeList parts) {
    const Name name = name_of(parts);
    walk.add_function(name.schema, name.name);
}

void step_trigger(Walk& walk, const PgQuery__CreateTrigStmt& trigger, const Place& place) {
    add_function(walk, {trigger.n_funcname, trigger.funcname});
    walk.children_later(trigger.base, place.kept().in(scope_of_rows(walk, place, *trigger.relation)));
}

void step_event_trigger(Walk& walk, const PgQuery__CreateEventTrigStmt& trigger, const Place& place) {
    add_function(walk, {trigger.n_funcname, trigger.funcname});
    walk.children_later(trigger.base, place);
}

// A relation by DROP, COMMENT and others that have its name as a list; or what belongs to a relation, by a list with
// the relation's name before its own.
void add_object(Walk& walk, PgQuery__ObjectType type, const PgQuery__Node* object, const Place& place) {
    const auto* list = as<PgQuery__List>(unwrapped(object), pg_query__list__descriptor);
    if (list == nullptr) return walk.later(message_of(object), place);
    std::size_t omitted = 0;
    switch (type) {
        case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
        case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
        case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW:
        case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE:
        case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE: break;
        case PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN:
        case PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT:
        case PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER:
        case PG_QUERY__OBJECT_TYPE__OBJECT_POLICY:
        case PG_QUERY__OBJECT_TYPE__OBJECT_RULE: omitted = 1; break;
        default: return walk.later(message_of(object), place);
    }
    const Name name = name_of({list->n_items, list->items}, omitted);
    if (name.name.empty()) return;
    Place there = place;
    there.writes = place.writes && omitted == 0;
    walk.add_relation(name.schema, name.name, there);
}

void step_drop(Walk& walk, const PgQuery__DropStmt& drop, const Place& place) {
    for (const PgQuery__Node* object : NodeList{drop.n_objects, drop.objects}) {
        add_object(walk, drop.remove_type, object, place.writing());
    }
}

template <class Generated>
void step_about(Walk& walk, const Generated& statement, const Place& place) {
    add_object(walk, statement.objtype, statement.object, place);
}

// ALTER in its forms: the relation is written, the names beside it are not.
template <class Generated>
void step_alter(Walk& walk, const Generated& alter, const Place& place) {
    for_each_child(alter.base, [&](const Message& child) {
        const bool is_target = &child == message_of(alter.relation);
        walk.later(&child, is_target ? place.writing() : place);
    });
}

// A composite type is no relation.
void step_alter_table(Walk& walk, const PgQuery__AlterTableStmt& alter, const Place& place) {
    if (alter.objtype != PG_QUERY__OBJECT_TYPE__OBJECT_TYPE) return step_alter(walk, alter, place);
    walk.later({alter.n_cmds, alter.cmds}, place);
}

void step_rename(Walk& walk, const PgQuery__RenameStmt& rename, const Place& place) {
    switch (rename.rename_type) {
        case PG_QUERY__OBJECT_TYPE__OBJECT_POLICY:
        case PG_QUERY__OBJECT_TYPE__OBJECT_RULE:
        case PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER: return walk.children_later(rename.base, place);
        default: break;
    }
    if (rename.relation_type != PG_QUERY__OBJECT_TYPE__OBJECT_TYPE) step_alter(walk, rename, place);
}

void step_composite_type(Walk& walk, const PgQuery__CompositeTypeStmt& type, const Place& place) {
    walk.later({type.n_coldeflist, type.coldeflist}, place);
}

void step_all_written(Walk& walk, const Message& statement, const Place& place) {
    walk.children_later(statement, place.writing());
}

}  // namespace

const Steps& utility_steps() {
    static const Steps steps{
        {&pg_query__explain_stmt__descriptor, step_of<PgQuery__ExplainStmt, step_explain>},
        {&pg_query__prepare_stmt__descriptor, step_of<PgQuery__PrepareStmt, step_prepare>},
        {&pg_query__declare_cursor_stmt__descriptor, step_of<PgQuery__DeclareCursorStmt, step_declare>},
        {&pg_query__create_table_as_stmt__descriptor, step_of<PgQuery__CreateTableAsStmt, step_create_as>},
        {&pg_query__create_schema_stmt__descriptor, step_of<PgQuery__CreateSchemaStmt, step_create_schema>},
        {&pg_query__view_stmt__descriptor, step_kept},
        {&pg_query__create_function_stmt__descriptor, step_kept},
        {&pg_query__rule_stmt__descriptor, step_of<PgQuery__RuleStmt, step_rule>},
        {&pg_query__create_trig_stmt__descriptor, step_of<PgQuery__CreateTrigStmt, step_trigger>},
        {&pg_query__create_event_trig_stmt__descriptor, step_of<PgQuery__CreateEventTrigStmt, step_event_trigger>},
        {&pg_query__drop_stmt__descriptor, step_of<PgQuery__DropStmt, step_drop>},
        {&pg_query__comment_stmt__descriptor, step_of<PgQuery__CommentStmt, step_about<PgQuery__CommentStmt>>},
        {&pg_query__sec_label_stmt__descriptor, step_of<PgQuery__SecLabelStmt, step_about<PgQuery__SecLabelStmt>>},
        {&pg_query__alter_extension_contents_stmt__descriptor,
         step_of<PgQuery__AlterExtensionContentsStmt, step_about<PgQuery__AlterExtensionContentsStmt>>},
        {&pg_query__alter_table_stmt__descriptor, step_of<PgQuery__AlterTableStmt, step_alter_table>},
        {&pg_query__rename_stmt__descriptor, step_of<PgQuery__RenameStmt, step_rename>},
        {&pg_query__alter_object_schema_stmt__descriptor,
         step_of<PgQuery__AlterObjectSchemaStmt, step_alter<PgQuery__AlterObjectSchemaStmt>>},
        {&pg_query__alter_owner_stmt__descriptor,
         step_of<PgQuery__AlterOwnerStmt, step_alter<PgQuery__AlterOwnerStmt>>},
        {&pg_query__alter_seq_stmt__descriptor, step_all_written},
        {&pg_query__truncate_stmt__descriptor, step_all_written},
        {&pg_query__refresh_mat_view_stmt__descriptor, step_all_written},
        {&pg_query__composite_type_stmt__descriptor, step_of<PgQuery__CompositeTypeStmt, step_composite_type>},
    };
    return steps;
}

}  // namespace pgsluice::sql
