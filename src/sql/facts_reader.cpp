// Statements: what each kind does with the relations, the columns and the queries in it.
#include "facts_reader.hpp"

#include "kind_of_node.hpp"

#include <pgsluice/base/lower_case.hpp>

#include <algorithm>
#include <array>

namespace pgsluice::sql {
namespace {

Kinds kinds_of(std::initializer_list<std::string_view> words) {
    Kinds kinds;
    for (const std::string_view word : words) kinds |= *kinds_named(word);
    return kinds;
}

// Functions that are known to write. Those of users are not known, and count as reading.
bool writes(const Function& function) {
    static constexpr std::array<std::string_view, 3> names{"nextval", "setval", "pg_notify"};
    return std::find(names.begin(), names.end(), function.name) != names.end() || function.name.starts_with("lo_");
}

// ANALYZE behind EXPLAIN. Any value in quotes and any number counts as on: texts that differ in constants share their
// facts. The tree does not tell a word from a constant, so the text is looked at.
bool is_turned_off(ByteView text, const PgQuery__DefElem& option) {
    constexpr ByteView name = "analyze";
    if (option.arg == nullptr || option.location < 0) return false;
    ByteView rest = text.substr(std::min(static_cast<std::size_t>(option.location) + name.size(), text.size()));
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n\f"), rest.size()));
    const std::size_t end = std::min(rest.find_first_of(" \t\r\n\f,)"), rest.size());
    const std::string word = lower_case(rest.substr(0, end));
    return word == "false" || word == "off";
}

bool is_absent(const PgQuery__Node* limit) {
    return limit == nullptr || (limit->node_case == PG_QUERY__NODE__NODE_A_CONST && limit->a_const->isnull != 0);
}

// "select count(*) from t" has no need of a LIMIT.
bool returns_one_row(const PgQuery__SelectStmt& select) {
    static constexpr std::array<std::string_view, 12> aggregates{"count",     "sum",        "min",      "max",
                                                                 "avg",       "every",      "bool_and", "bool_or",
                                                                 "array_agg", "string_agg", "json_agg", "jsonb_agg"};
    if (select.n_group_clause > 0 || select.n_target_list == 0) return false;
    return std::all_of(select.target_list, select.target_list + select.n_target_list, [](const PgQuery__Node* item) {
        const PgQuery__Node* value =
            item->node_case == PG_QUERY__NODE__NODE_RES_TARGET ? item->res_target->val : nullptr;
        if (value == nullptr || value->node_case != PG_QUERY__NODE__NODE_FUNC_CALL) return false;
        const PgQuery__FuncCall& call = *value->func_call;
        const std::string_view name = call.funcname[call.n_funcname - 1]->string->sval;
        return call.over == nullptr && std::find(aggregates.begin(), aggregates.end(), name) != aggregates.end();
    });
}

// The query whose rows a statement returns, now or when it is executed; nullptr where there is none.
const PgQuery__SelectStmt* returned_query(const PgQuery__Node* node) {
    if (node == nullptr) return nullptr;
    switch (node->node_case) {
        case PG_QUERY__NODE__NODE_SELECT_STMT:
            return node->select_stmt->into_clause == nullptr ? node->select_stmt : nullptr;
        case PG_QUERY__NODE__NODE_COPY_STMT: return returned_query(node->copy_stmt->query);
        case PG_QUERY__NODE__NODE_PREPARE_STMT: return returned_query(node->prepare_stmt->query);
        default: return nullptr;
    }
}

}  // namespace

void FactsReader::read(const PgQuery__ParseResult& tree) {
    static const Kinds reading =
        kinds_of({"select", "copy to", "transaction", "set", "reset", "show", "discard", "listen", "unlisten",
                  "prepare", "deallocate", "declare", "fetch", "move", "close", "explain", "set constraints"});
    facts_.statements = static_cast<std::uint32_t>(tree.n_stmts);
    for (std::size_t i = 0; i < tree.n_stmts; ++i) {
        reads_a_relation_ = false;
        const PgQuery__Node* statement = tree.stmts[i]->stmt;
        read_statement(statement, nullptr);
        const PgQuery__SelectStmt* query = returned_query(statement);
        facts_.without_limit |=
            query != nullptr && reads_a_relation_ && is_absent(query->limit_count) && !returns_one_row(*query);
    }
    facts_.may_write = (facts_.kinds & ~reading).any() || facts_.locks_rows ||
                       std::any_of(facts_.functions.begin(), facts_.functions.end(), writes);
}

void FactsReader::read_statement(const PgQuery__Node* node, const Scope* scope) {
    if (node == nullptr) return;
    for (Message* message : children_of(node->base)) {
        if (const auto kind = kind_of(*message); kind && !is_dry_) facts_.kinds.set(*kind);
        read_message(*message, scope);
    }
}

void FactsReader::read_below(Message& message, const Scope* scope) {
    for (Message* child : children_of(message)) read_message(*child, scope);
}

void FactsReader::read_one(PgQuery__Node* node, const Scope* scope) {
    if (node != nullptr) read_message(node->base, scope);
}

void FactsReader::read_list(PgQuery__Node** items, std::size_t count, const Scope* scope) {
    for (std::size_t i = 0; i < count; ++i) read_one(items[i], scope);
}

void FactsReader::read_message(Message& message, const Scope* scope) {
    const ProtobufCMessageDescriptor* type = message.descriptor;
    if (type == &pg_query__node__descriptor) return read_below(message, scope);
    if (auto* select = as<PgQuery__SelectStmt>(&message, pg_query__select_stmt__descriptor)) {
        return read_select(*select, scope);
    }
    if (auto* reference = as<PgQuery__ColumnRef>(&message, pg_query__column_ref__descriptor)) {
        return note_reference(*reference, scope);
    }
    if (auto* parameter = as<PgQuery__ParamRef>(&message, pg_query__param_ref__descriptor)) {
        facts_.parameters = std::max(facts_.parameters, static_cast<std::uint32_t>(parameter->number));
        return;
    }
    if (auto* relation = as<PgQuery__RangeVar>(&message, pg_query__range_var__descriptor)) {
        return note(relation, Use::named);
    }
    // What it names are sources of its query.
    if (type == &pg_query__locking_clause__descriptor) return void(facts_.locks_rows = true);
    if (auto* call = as<PgQuery__FuncCall>(&message, pg_query__func_call__descriptor)) note_function(*call);
    if (const auto kind = kind_of(message)) {
        if (!is_dry_) facts_.kinds.set(*kind);
        return read_utility(message, scope);
    }
    read_below(message, scope);
}

// The statements that do more than name what stands in them.
void FactsReader::read_utility(Message& message, const Scope* scope) {
    if (auto* insert = as<PgQuery__InsertStmt>(&message, pg_query__insert_stmt__descriptor)) {
        read_insert(*insert, scope);
    } else if (auto* update = as<PgQuery__UpdateStmt>(&message, pg_query__update_stmt__descriptor)) {
        read_update(*update, scope);
    } else if (auto* gone = as<PgQuery__DeleteStmt>(&message, pg_query__delete_stmt__descriptor)) {
        read_delete(*gone, scope);
    } else if (auto* merge = as<PgQuery__MergeStmt>(&message, pg_query__merge_stmt__descriptor)) {
        read_merge(*merge, scope);
    } else if (auto* copy = as<PgQuery__CopyStmt>(&message, pg_query__copy_stmt__descriptor)) {
        read_copy(*copy, scope);
    } else if (auto* explain = as<PgQuery__ExplainStmt>(&message, pg_query__explain_stmt__descriptor)) {
        read_explain(*explain, scope);
    } else if (auto* prepare = as<PgQuery__PrepareStmt>(&message, pg_query__prepare_stmt__descriptor)) {
        read_statement(prepare->query, scope);
    } else if (auto* cursor = as<PgQuery__DeclareCursorStmt>(&message, pg_query__declare_cursor_stmt__descriptor)) {
        read_statement(cursor->query, scope);
    } else if (auto* create = as<PgQuery__CreateTableAsStmt>(&message, pg_query__create_table_as_stmt__descriptor)) {
        note(create->into->rel, Use::written);
        read_statement(create->query, scope);
    } else if (auto* drop = as<PgQuery__DropStmt>(&message, pg_query__drop_stmt__descriptor)) {
        read_drop(*drop);
    } else if (auto* trigger = as<PgQuery__CreateTrigStmt>(&message, pg_query__create_trig_stmt__descriptor)) {
        facts_.functions.push_back(
            {trigger->n_funcname > 1 ? trigger->funcname[trigger->n_funcname - 2]->string->sval : "",
             trigger->funcname[trigger->n_funcname - 1]->string->sval});
        read_below(message, scope);
    } else {
        static constexpr std::array changing{
            &pg_query__alter_table_stmt__descriptor, &pg_query__rename_stmt__descriptor,
            &pg_query__alter_owner_stmt__descriptor, &pg_query__alter_object_schema_stmt__descriptor,
            &pg_query__alter_seq_stmt__descriptor,   &pg_query__refresh_mat_view_stmt__descriptor,
            &pg_query__truncate_stmt__descriptor};
        const bool changes = std::find(changing.begin(), changing.end(), message.descriptor) != changing.end();
        for (Message* child : children_of(message)) {
            Message* inner = child;
            if (child->descriptor == &pg_query__node__descriptor) {
                const auto below = children_of(*child);
                inner = below.empty() ? child : below.front();
            }
            auto* relation = as<PgQuery__RangeVar>(inner, pg_query__range_var__descriptor);
            if (relation != nullptr)
                note(relation, changes ? Use::written : Use::named);
            else
                read_message(*child, scope);
        }
    }
}

void FactsReader::read_select(PgQuery__SelectStmt& select, const Scope* outer) {
    static const Kinds into = *kinds_named("select into");
    Scope scope{outer, {}, {}};
    if (select.into_clause != nullptr) {
        note(select.into_clause->rel, Use::written);
        if (!is_dry_) facts_.kinds |= into;
    }
    read_ctes(select.with_clause, scope);
    if (select.larg != nullptr) read_message(select.larg->base, &scope);
    if (select.rarg != nullptr) read_message(select.rarg->base, &scope);
    read_sources(select.from_clause, select.n_from_clause, scope);
    for (Message* child : children_of(select.base)) {
        const bool is_read = child == &select.base ||
                             (select.with_clause != nullptr && child == &select.with_clause->base) ||
                             (select.larg != nullptr && child == &select.larg->base) ||
                             (select.rarg != nullptr && child == &select.rarg->base) ||
                             (select.into_clause != nullptr && child == &select.into_clause->base) ||
                             std::any_of(select.from_clause, select.from_clause + select.n_from_clause,
                                         [&](const PgQuery__Node* item) { return child == &item->base; });
        if (!is_read) read_message(*child, &scope);
    }
}

void FactsReader::read_insert(PgQuery__InsertStmt& insert, const Scope* outer) {
    Scope scope{outer, {}, {}};
    read_ctes(insert.with_clause, scope);
    read_one(insert.select_stmt, &scope);
    const PgQuery__OnConflictClause* conflict = insert.on_conflict_clause;
    const bool reads = insert.n_returning_list > 0 || (conflict != nullptr && conflict->n_target_list > 0);
    add_target(insert.relation, reads ? Use::both : Use::written, scope);
    const std::string relation = insert.relation->relname;
    scope.sources.push_back({"excluded", relation, false});
    if (insert.n_cols == 0) note_column(relation, "*");
    read_assignments(insert.cols, insert.n_cols, relation, scope);
    if (conflict != nullptr) {
        if (conflict->infer != nullptr) {
            for (std::size_t i = 0; i < conflict->infer->n_index_elems; ++i) {
                const char* name = conflict->infer->index_elems[i]->index_elem->name;
                if (name[0] != '\0') note_column(relation, name);
            }
            read_below(conflict->infer->base, &scope);
        }
        read_assignments(conflict->target_list, conflict->n_target_list, relation, scope);
        read_one(conflict->where_clause, &scope);
    }
    read_list(insert.returning_list, insert.n_returning_list, &scope);
}

void FactsReader::read_update(PgQuery__UpdateStmt& update, const Scope* outer) {
    Scope scope{outer, {}, {}};
    read_ctes(update.with_clause, scope);
    add_target(update.relation, Use::both, scope);
    read_sources(update.from_clause, update.n_from_clause, scope);
    read_assignments(update.target_list, update.n_target_list, update.relation->relname, scope);
    read_one(update.where_clause, &scope);
    read_list(update.returning_list, update.n_returning_list, &scope);
    facts_.without_where |= update.where_clause == nullptr && !is_dry_;
}

void FactsReader::read_delete(PgQuery__DeleteStmt& gone, const Scope* outer) {
    Scope scope{outer, {}, {}};
    read_ctes(gone.with_clause, scope);
    add_target(gone.relation, Use::both, scope);
    read_sources(gone.using_clause, gone.n_using_clause, scope);
    read_one(gone.where_clause, &scope);
    read_list(gone.returning_list, gone.n_returning_list, &scope);
    facts_.without_where |= gone.where_clause == nullptr && !is_dry_;
}

void FactsReader::read_merge(PgQuery__MergeStmt& merge, const Scope* outer) {
    Scope scope{outer, {}, {}};
    read_ctes(merge.with_clause, scope);
    add_target(merge.relation, Use::both, scope);
    add_source(merge.source_relation, scope);
    read_one(merge.join_condition, &scope);
    for (std::size_t i = 0; i < merge.n_merge_when_clauses; ++i) {
        PgQuery__MergeWhenClause& when = *merge.merge_when_clauses[i]->merge_when_clause;
        read_one(when.condition, &scope);
        read_assignments(when.target_list, when.n_target_list, merge.relation->relname, scope);
        read_list(when.values, when.n_values, &scope);
    }
}

void FactsReader::read_copy(PgQuery__CopyStmt& copy, const Scope* scope) {
    if (copy.relation != nullptr) {
        note(copy.relation, copy.is_from != 0 ? Use::written : Use::read);
        if (copy.n_attlist == 0) note_column(copy.relation->relname, "*");
        for (std::size_t i = 0; i < copy.n_attlist; ++i) {
            note_column(copy.relation->relname, copy.attlist[i]->string->sval);
        }
    }
    read_statement(copy.query, scope);
    read_one(copy.where_clause, scope);
    read_list(copy.options, copy.n_options, scope);
}

void FactsReader::read_explain(PgQuery__ExplainStmt& explain, const Scope* scope) {
    bool runs = false;
    for (std::size_t i = 0; i < explain.n_options; ++i) {
        const PgQuery__DefElem& option = *explain.options[i]->def_elem;
        runs |= std::string_view(option.defname) == "analyze" && !is_turned_off(text_, option);
    }
    const bool was_dry = is_dry_;
    is_dry_ = is_dry_ || !runs;
    read_statement(explain.query, scope);
    is_dry_ = was_dry;
}

void FactsReader::read_drop(const PgQuery__DropStmt& drop) {
    switch (drop.remove_type) {
        case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
        case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
        case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW:
        case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE:
        case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE: break;
        default: return;
    }
    for (std::size_t i = 0; i < drop.n_objects; ++i) {
        if (drop.objects[i]->node_case != PG_QUERY__NODE__NODE_LIST) continue;
        const PgQuery__List& name = *drop.objects[i]->list;
        if (name.n_items == 0) continue;
        const std::string schema = name.n_items > 1 ? name.items[name.n_items - 2]->string->sval : "";
        note(schema, name.items[name.n_items - 1]->string->sval, Use::written);
    }
}

}  // namespace pgsluice::sql
