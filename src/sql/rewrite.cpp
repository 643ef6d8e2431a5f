#include "cost.hpp"
#include "lexer.hpp"
#include "parse_tree.hpp"

#include <pgsluice/sql/rewrite.hpp>

#include <pg_query.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <new>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace pgsluice::sql {
namespace {

// A node of a tree that is ours to change; nullptr where it is of another type.
template <class Node>
Node* edited_as(const Message& message, const ProtobufCMessageDescriptor& descriptor) {
    return const_cast<Node*>(as<Node>(&message, descriptor));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

// Calls visit(message) for all below. Keeps its own stack, for trees may be deep.
template <class Visit>
void for_each_message(const Message& top, Visit visit) {
    std::vector<const Message*> left{&top};
    while (!left.empty()) {
        const Message* message = left.back();
        left.pop_back();
        visit(*message);
        for_each_child(*message, [&](const Message& child) { left.push_back(&child); });
    }
}

// The runtime of the trees frees with free() what it finds in them.
template <class Node>
Node* new_node(void (*init)(Node*)) {
    auto* node = static_cast<Node*>(std::malloc(sizeof(Node)));  // NOLINT(cppcoreguidelines-no-malloc)
    if (node == nullptr) throw std::bad_alloc();
    init(node);
    return node;
}

void set_text(char*& field, const std::string& text) {
    // That of an absent text is the runtime's own.
    if (field != protobuf_c_empty_string) std::free(field);  // NOLINT(cppcoreguidelines-no-malloc)
    field = strdup(text.c_str());
    if (field == nullptr) throw std::bad_alloc();
}

class Editor {
  public:
    Editor(ParseTree& tree, const Edits& edits) : tree_(tree), edits_(edits) {}

    // Whether a CTE has the name of a table that is to get another one: which of them is meant where is not told here.
    bool is_ambiguous() const {
        return std::any_of(ctes_.begin(), ctes_.end(),
                           [&](const std::string& cte) { return edits_.tables.contains(cte); });
    }

    bool edit() {
        const Message& top = tree_->base;
        for_each_message(top, [this](const Message& message) {
            if (const auto* cte =
                    edited_as<PgQuery__CommonTableExpr>(message, pg_query__common_table_expr__descriptor)) {
                ctes_.insert(cte->ctename);
            }
        });
        for_each_message(top, [this](const Message& message) { edit(message); });
        if (!qualified_.empty()) for_each_message(top, [this](const Message& message) { follow(message); });
        for (std::size_t i = 0; i < tree_->n_stmts; ++i) limit(tree_->stmts[i]->stmt);
        return changed_;
    }

  private:
    enum class Alias { kept, none };  // whether the old name goes on, where the grammar has a place for it

    void edit(const Message& message) {
        if (auto* select = edited_as<PgQuery__SelectStmt>(message, pg_query__select_stmt__descriptor)) {
            rename_items(select->from_clause, select->n_from_clause);
        } else if (auto* insert = edited_as<PgQuery__InsertStmt>(message, pg_query__insert_stmt__descriptor)) {
            rename(insert->relation, Alias::kept);
        } else if (auto* update = edited_as<PgQuery__UpdateStmt>(message, pg_query__update_stmt__descriptor)) {
            rename(update->relation, Alias::kept);
            rename_items(update->from_clause, update->n_from_clause);
        } else if (auto* gone = edited_as<PgQuery__DeleteStmt>(message, pg_query__delete_stmt__descriptor)) {
            rename(gone->relation, Alias::kept);
            rename_items(gone->using_clause, gone->n_using_clause);
        } else if (auto* merge = edited_as<PgQuery__MergeStmt>(message, pg_query__merge_stmt__descriptor)) {
            rename(merge->relation, Alias::kept);
            rename_items(&merge->source_relation, merge->source_relation == nullptr ? 0 : 1);
        } else if (auto* copy = edited_as<PgQuery__CopyStmt>(message, pg_query__copy_stmt__descriptor)) {
            rename(copy->relation, Alias::none);
        } else if (auto* truncate = edited_as<PgQuery__TruncateStmt>(message, pg_query__truncate_stmt__descriptor)) {
            for (std::size_t i = 0; i < truncate->n_relations; ++i) {
                rename(truncate->relations[i]->range_var, Alias::none);
            }
        } else if (auto* call = edited_as<PgQuery__FuncCall>(message, pg_query__func_call__descriptor)) {
            if (call->n_funcname == 2) rename_schema(call->funcname[0]->string->sval);
        }
    }

    void rename_items(PgQuery__Node** items, std::size_t count) {
        std::vector<PgQuery__Node*> left(items, items + count);
        while (!left.empty()) {
            PgQuery__Node* item = left.back();
            left.pop_back();
            if (item == nullptr) continue;
            if (item->node_case == PG_QUERY__NODE__NODE_RANGE_VAR) {
                rename(item->range_var, Alias::kept);
            } else if (item->node_case == PG_QUERY__NODE__NODE_JOIN_EXPR) {
                left.push_back(item->join_expr->larg);
                left.push_back(item->join_expr->rarg);
            } else if (item->node_case == PG_QUERY__NODE__NODE_RANGE_TABLE_SAMPLE) {
                left.push_back(item->range_table_sample->relation);
            }
        }
    }

    void rename_schema(char*& schema) {
        const auto found = edits_.schemas.find(schema);
        if (found == edits_.schemas.end()) return;
        set_text(schema, found->second);
        changed_ = true;
    }

    void rename(PgQuery__RangeVar* relation, Alias alias) {
        if (relation == nullptr) return;
        const std::string schema = relation->schemaname;
        const std::string name = relation->relname;
        const auto found = edits_.tables.find(schema.empty() ? name : schema + '.' + name);
        if (found == edits_.tables.end()) {
            if (schema.empty()) return;
            rename_schema(relation->schemaname);
            if (relation->alias == nullptr && relation->schemaname != schema) {
                qualified_[{schema, name}] = relation->schemaname;
            }
            return;
        }
        const std::string& other = found->second;
        const std::size_t dot = other.find('.');
        set_text(relation->schemaname, dot == std::string::npos ? "" : other.substr(0, dot));
        set_text(relation->relname, dot == std::string::npos ? other : other.substr(dot + 1));
        changed_ = true;
        if (alias == Alias::none || relation->alias != nullptr) return;
        relation->alias = new_node(&pg_query__alias__init);
        set_text(relation->alias->aliasname, name);
        if (!schema.empty()) qualified_[{schema, name}] = "";
    }

    // Of a column, or of all, written with the schema of its table: schema.table.column, perhaps behind a database. A
    // field of a composite column never looks like this: it needs parentheses.
    void follow(const Message& message) {
        auto* column = edited_as<PgQuery__ColumnRef>(message, pg_query__column_ref__descriptor);
        if (column == nullptr || column->n_fields < 3 || column->n_fields > 4) return;
        const std::size_t at = column->n_fields - 3;
        const auto found =
            qualified_.find({std::string(text(column->fields[at])), std::string(text(column->fields[at + 1]))});
        if (found == qualified_.end()) return;
        if (!found->second.empty()) return set_text(column->fields[at]->string->sval, found->second);
        // An alias has no schema.
        for (std::size_t i = 0; i <= at; ++i) pg_query__node__free_unpacked(column->fields[i], nullptr);
        std::move(column->fields + at + 1, column->fields + column->n_fields, column->fields);
        column->n_fields = 2;
    }

    // Rows that are locked would be other ones, and a query without a table has few.
    void limit(PgQuery__Node* statement) {
        if (edits_.limit == 0 || statement == nullptr || statement->node_case != PG_QUERY__NODE__NODE_SELECT_STMT)
            return;
        PgQuery__SelectStmt* select = statement->select_stmt;
        const bool is_of_tables = select->n_from_clause > 0 || select->op != PG_QUERY__SET_OPERATION__SETOP_NONE;
        if (!is_of_tables || select->limit_count != nullptr || select->n_locking_clause > 0 ||
            select->into_clause != nullptr) {
            return;
        }
        auto* count = new_node(&pg_query__a__const__init);
        count->val_case = PG_QUERY__A__CONST__VAL_IVAL;
        count->ival = new_node(&pg_query__integer__init);
        count->ival->ival = static_cast<std::int32_t>(edits_.limit);
        select->limit_count = new_node(&pg_query__node__init);
        select->limit_count->node_case = PG_QUERY__NODE__NODE_A_CONST;
        select->limit_count->a_const = count;
        select->limit_option = PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_COUNT;
        changed_ = true;
    }

    ParseTree& tree_;
    const Edits& edits_;
    std::set<std::string> ctes_;  // of the whole text
    // Schema and name of relations as they were written without an alias, and their other schema; empty: an alias now.
    std::map<std::pair<std::string, std::string>, std::string> qualified_;
    bool changed_ = false;
};

// Where things stood in the text.
void forget_places(ParseTree& tree) {
    for_each_message(tree->base, [](const Message& message) {
        for (unsigned i = 0; i < message.descriptor->n_fields; ++i) {
            const ProtobufCFieldDescriptor& field = message.descriptor->fields[i];
            const std::string_view name = field.name;
            if (field.type != PROTOBUF_C_TYPE_INT32 || field.label == PROTOBUF_C_LABEL_REPEATED) continue;
            if (name != "location" && name != "stmt_location" && name != "stmt_len") continue;
            std::memset(reinterpret_cast<char*>(const_cast<Message*>(&message)) + field.offset, 0,
                        sizeof(std::int32_t));
        }
    });
}

std::string packed(const ParseTree& tree) {
    std::string out(pg_query__parse_result__get_packed_size(tree.get()), '\0');
    pg_query__parse_result__pack(tree.get(), reinterpret_cast<std::uint8_t*>(out.data()));
    return out;
}

// Of an UPDATE and its like: how the deparser writes (a, b) = x. It looks for the last column at the place that this
// would have in the first assignment of the list, and else takes all up to the end of the list.
bool is_written_right(PgQuery__Node* const* targets, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const PgQuery__ResTarget* target =
            targets[i]->node_case == PG_QUERY__NODE__NODE_RES_TARGET ? targets[i]->res_target : nullptr;
        const PgQuery__Node* value = target == nullptr ? nullptr : target->val;
        if (value == nullptr || value->node_case != PG_QUERY__NODE__NODE_MULTI_ASSIGN_REF) continue;
        if (value->multi_assign_ref->colno != 1) continue;
        const auto columns = static_cast<std::size_t>(value->multi_assign_ref->ncolumns);
        const bool is_right = i == 0 || (i >= columns && i + columns == count);
        if (!is_right) return false;
    }
    return true;
}

// With others each x would have many columns, and the parser a copy of it for each of them: the square of the text's
// length, and more.
bool is_written_right(const ParseTree& tree) {
    bool is_right = true;
    for_each_message(tree->base, [&](const Message& message) {
        if (const auto* update = as<PgQuery__UpdateStmt>(&message, pg_query__update_stmt__descriptor)) {
            is_right = is_right && is_written_right(update->target_list, update->n_target_list);
        } else if (const auto* conflict =
                       as<PgQuery__OnConflictClause>(&message, pg_query__on_conflict_clause__descriptor)) {
            is_right = is_right && is_written_right(conflict->target_list, conflict->n_target_list);
        } else if (const auto* merge =
                       as<PgQuery__MergeWhenClause>(&message, pg_query__merge_when_clause__descriptor)) {
            is_right = is_right && is_written_right(merge->target_list, merge->n_target_list);
        }
    });
    return is_right;
}

// As SQL again; nullopt where libpg_query does not know how.
std::optional<std::string> deparsed(const ParseTree& tree) {
    std::string tree_bytes = packed(tree);
    PgQueryDeparseResult made = pg_query_deparse_protobuf({tree_bytes.size(), tree_bytes.data()});
    std::optional<std::string> text;
    if (made.error == nullptr) text = made.query;
    pg_query_free_deparse_result(made);
    return text;
}

std::string packed_without_places(ParseTree& tree) {
    forget_places(tree);
    return packed(tree);
}

}  // namespace

// What is written out is parsed again, and must be the tree that was meant: the deparser has its mistakes.
std::variant<std::string, Unparsable> edited(ByteView text, const Edits& edits, Reading how) {
    // What is not fit to be read has no facts either, and says why there.
    auto facts = read_facts(text, how);
    if (auto* unparsable = std::get_if<Unparsable>(&facts)) return std::move(*unparsable);
    const ReadingGuard guard(how);
    auto parsed = parse_tree_of(without_comments(text, how).value_or(std::string(text)));
    if (auto* unparsable = std::get_if<Unparsable>(&parsed)) return std::move(*unparsable);
    auto& tree = std::get<ParseTree>(parsed);
    Editor editor(tree, edits);
    const bool is_edited = editor.edit();
    if (editor.is_ambiguous()) return Unparsable{"WITH gives a name that is to be rewritten"};
    if (!is_edited) return std::string(text);
    const Unparsable is_another{"it would mean something else when it is written out again"};
    if (!is_written_right(tree)) return is_another;
    auto written = deparsed(tree);
    if (!written) return Unparsable{"it cannot be written out again"};
    if (written->size() > longest_parsed_text) return Unparsable{"it is too long when it is written out again"};
    if (auto tokens = affordable_tokens_of(*written); auto* dear = std::get_if<Unparsable>(&tokens)) {
        return std::move(*dear);
    }
    auto again = parse_tree_of(*written);
    auto* read = std::get_if<ParseTree>(&again);
    if (read == nullptr || packed_without_places(*read) != packed_without_places(tree)) {
        return is_another;
    }
    return std::move(*written);
}

}  // namespace pgsluice::sql
