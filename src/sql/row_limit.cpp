// Whether what a statement returns has an end that its text tells. Trees are as deep as their texts are long, so that
// nothing here calls itself for what is further down.
#include "walk.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace pgsluice::sql {

namespace {

// A parameter may be NULL when it is bound, and that no text tells.
bool is_value(const Message* node) {
    const auto* constant = as<PgQuery__AConst>(node, pg_query__a__const__descriptor);
    if (constant != nullptr) return constant->isnull == 0;
    return node != nullptr && node->descriptor == &pg_query__param_ref__descriptor;
}

template <class Call>
bool has_value(const Call& call) {
    return std::any_of(call.args, call.args + call.n_args, [](auto* each) { return is_value(unwrapped(each)); });
}

// The name that stands last, where nothing or pg_catalog stands in front of it; else empty.
std::string_view plain_name(NodeList parts) {
    const bool is_plain = parts.count == 1 || (parts.count == 2 && text(parts.nodes[0]) == "pg_catalog");
    return is_plain ? text(parts.nodes[parts.count - 1]) : std::string_view();
}

bool is_number_type(const PgQuery__TypeName* type) {
    static constexpr std::array<std::string_view, 4> numbers{"int2", "int4", "int8", "numeric"};
    if (type == nullptr || type->n_array_bounds != 0) return false;
    const std::string_view name = plain_name({type->n_names, type->names});
    return std::find(numbers.begin(), numbers.end(), name) != numbers.end();
}

bool is_arithmetic(const PgQuery__AExpr& expression) {
    static constexpr std::string_view operators = "+-*/%";
    const std::string_view name = plain_name({expression.n_name, expression.name});
    return expression.kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP && name.size() == 1 &&
           operators.find(name) != std::string_view::npos;
}

// LIMIT ALL, LIMIT NULL, and all of which it cannot be said that it is anything else: a subquery, a function, an
// operator on something else than numbers.
bool may_be_null(const PgQuery__Node* limit) {
    std::vector<const Message*> left{unwrapped(limit)};
    while (!left.empty()) {
        const Message* node = left.back();
        left.pop_back();
        if (is_value(node)) continue;
        if (const auto* cast = as<PgQuery__TypeCast>(node, pg_query__type_cast__descriptor)) {
            if (!is_number_type(cast->type_name)) return true;
            left.push_back(unwrapped(cast->arg));
        } else if (const auto* sum = as<PgQuery__AExpr>(node, pg_query__a__expr__descriptor)) {
            if (!is_arithmetic(*sum)) return true;
            if (sum->lexpr != nullptr) left.push_back(unwrapped(sum->lexpr));
            left.push_back(unwrapped(sum->rexpr));
        } else {
            const auto* least = as<PgQuery__MinMaxExpr>(node, pg_query__min_max_expr__descriptor);
            const auto* first = as<PgQuery__CoalesceExpr>(node, pg_query__coalesce_expr__descriptor);
            if (!(least != nullptr && has_value(*least)) && !(first != nullptr && has_value(*first))) return true;
        }
    }
    return false;
}

// FETCH ... WITH TIES goes on for as long as rows are alike.
bool has_limit(const PgQuery__SelectStmt& select) {
    return !may_be_null(select.limit_count) && select.limit_option != PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_WITH_TIES;
}

// The query that a statement is or holds; nullptr where it has none.
const Message* query_of(const Message& statement) {
    if (const auto* prepare = as<PgQuery__PrepareStmt>(&statement, pg_query__prepare_stmt__descriptor)) {
        return unwrapped(prepare->query);
    }
    if (const auto* cursor = as<PgQuery__DeclareCursorStmt>(&statement, pg_query__declare_cursor_stmt__descriptor)) {
        return unwrapped(cursor->query);
    }
    return &statement;
}

// Each node for which `goes_down` says so is left for those below it.
template <class GoesDown>
void descend(const Message& top, GoesDown goes_down) {
    std::vector<const Message*> left{&top};
    while (!left.empty()) {
        const Message& node = *left.back();
        left.pop_back();
        if (goes_down(node)) for_each_child(node, [&](const Message& child) { left.push_back(&child); });
    }
}

// What can make one value of many rows: a function, which may be an aggregate, and "array(select ...)".
bool gathers(const Message& top) {
    bool found = false;
    descend(top, [&](const Message& node) {
        const auto* sublink = as<PgQuery__SubLink>(&node, pg_query__sub_link__descriptor);
        found = found || node.descriptor == &pg_query__func_call__descriptor ||
                (sublink != nullptr && sublink->sub_link_type == PG_QUERY__SUB_LINK_TYPE__ARRAY_SUBLINK);
        return !found;
    });
    return found;
}

bool gathers(NodeList nodes) {
    return std::any_of(nodes.begin(), nodes.end(), [](const PgQuery__Node* each) { return gathers(*unwrapped(each)); });
}

// "(select ...)" is one value, and may be that of all rows where something gathers them: here, or in what it selects
// from. `has_with`: that may be a query which stands elsewhere.
bool may_be_of_all_rows(const Message* query, bool has_with) {
    const auto* select = as<PgQuery__SelectStmt>(query, pg_query__select_stmt__descriptor);
    if (select == nullptr || select->op != PG_QUERY__SET_OPERATION__SETOP_NONE || select->n_from_clause == 0)
        return true;
    return has_with || select->with_clause != nullptr || gathers({select->n_target_list, select->target_list}) ||
           gathers({select->n_from_clause, select->from_clause});
}

// Queries whose rows stand in the value, and not those that are only asked whether they have any.
void add_queries_in(const Message& value, bool has_with, std::vector<const Message*>& queries) {
    descend(value, [&](const Message& node) {
        const auto* sublink = as<PgQuery__SubLink>(&node, pg_query__sub_link__descriptor);
        if (sublink == nullptr) return true;
        const Message* query = unwrapped(sublink->subselect);
        const auto type = sublink->sub_link_type;
        const bool is_value = type == PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK && may_be_of_all_rows(query, has_with);
        if (is_value || type == PG_QUERY__SUB_LINK_TYPE__ARRAY_SUBLINK) queries.push_back(query);
        return false;
    });
}

void add_queries_in(NodeList values, bool has_with, std::vector<const Message*>& queries) {
    for (const PgQuery__Node* each : values) {
        if (const Message* value = unwrapped(each)) add_queries_in(*value, has_with, queries);
    }
}

}  // namespace

bool returns_without_limit(const Message& statement) {
    std::vector<const Message*> queries;
    if (const auto* copy = as<PgQuery__CopyStmt>(&statement, pg_query__copy_stmt__descriptor)) {
        if (copy->is_from != 0) return false;
        if (copy->query == nullptr) return true;
        queries.push_back(unwrapped(copy->query));
    } else {
        queries.push_back(query_of(statement));
    }
    bool has_with = false;
    while (!queries.empty()) {
        const auto* select = as<PgQuery__SelectStmt>(queries.back(), pg_query__select_stmt__descriptor);
        queries.pop_back();
        if (select == nullptr || select->into_clause != nullptr) continue;
        const bool is_set_operation = select->op != PG_QUERY__SET_OPERATION__SETOP_NONE;
        if (select->n_from_clause != 0 || is_set_operation) {
            if (!has_limit(*select)) return true;
            continue;
        }
        // Of its one row no LIMIT leaves anything out.
        has_with = has_with || select->with_clause != nullptr;
        add_queries_in({select->n_target_list, select->target_list}, has_with, queries);
        add_queries_in({select->n_values_lists, select->values_lists}, has_with, queries);
    }
    return false;
}

}  // namespace pgsluice::sql
