#include "walk.hpp"

#include <algorithm>
#include <array>

namespace pgsluice::sql {

namespace {

bool leaves_transaction_behind(const PgQuery__TransactionStmt& transaction) {
    return transaction.kind == PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE ||
           transaction.kind == PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT_PREPARED ||
           transaction.kind == PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_PREPARED;
}

// LIMIT ALL, LIMIT NULL and a cast of it.
bool is_null(const PgQuery__Node* limit) {
    const Message* value = unwrapped(limit);
    while (const auto* cast = as<PgQuery__TypeCast>(value, pg_query__type_cast__descriptor)) {
        value = unwrapped(cast->arg);
    }
    const auto* constant = as<PgQuery__AConst>(value, pg_query__a__const__descriptor);
    return value == nullptr || (constant != nullptr && constant->isnull != 0);
}

}  // namespace

bool only_reads(const Message& statement) {
    if (const auto* select = as<PgQuery__SelectStmt>(&statement, pg_query__select_stmt__descriptor)) {
        return select->into_clause == nullptr;
    }
    // To a file, it writes one on the server; to a program, it runs it there.
    if (const auto* copy = as<PgQuery__CopyStmt>(&statement, pg_query__copy_stmt__descriptor)) {
        return copy->is_from == 0 && copy->is_program == 0 && text(copy->filename).empty();
    }
    if (const auto* transaction = as<PgQuery__TransactionStmt>(&statement, pg_query__transaction_stmt__descriptor)) {
        return !leaves_transaction_behind(*transaction);
    }
    // What those hold is a statement of its own.
    static constexpr std::array<const ProtobufCMessageDescriptor*, 11> others{
        &pg_query__variable_set_stmt__descriptor, &pg_query__variable_show_stmt__descriptor,
        &pg_query__explain_stmt__descriptor,      &pg_query__fetch_stmt__descriptor,
        &pg_query__close_portal_stmt__descriptor, &pg_query__declare_cursor_stmt__descriptor,
        &pg_query__prepare_stmt__descriptor,      &pg_query__deallocate_stmt__descriptor,
        &pg_query__discard_stmt__descriptor,      &pg_query__constraints_set_stmt__descriptor,
        &pg_query__unlisten_stmt__descriptor,
    };
    return std::find(others.begin(), others.end(), statement.descriptor) != others.end();
}

bool returns_without_limit(const Message& statement) {
    if (const auto* prepare = as<PgQuery__PrepareStmt>(&statement, pg_query__prepare_stmt__descriptor)) {
        const Message* query = unwrapped(prepare->query);
        return query != nullptr && returns_without_limit(*query);
    }
    if (const auto* cursor = as<PgQuery__DeclareCursorStmt>(&statement, pg_query__declare_cursor_stmt__descriptor)) {
        const Message* query = unwrapped(cursor->query);
        return query != nullptr && returns_without_limit(*query);
    }
    if (const auto* copy = as<PgQuery__CopyStmt>(&statement, pg_query__copy_stmt__descriptor)) {
        const Message* query = unwrapped(copy->query);
        return copy->is_from == 0 && (query == nullptr || returns_without_limit(*query));
    }
    const auto* select = as<PgQuery__SelectStmt>(&statement, pg_query__select_stmt__descriptor);
    if (select == nullptr || select->into_clause != nullptr) return false;
    const bool has_rows = select->n_from_clause != 0 || select->op != PG_QUERY__SET_OPERATION__SETOP_NONE;
    return has_rows && is_null(select->limit_count);
}

}  // namespace pgsluice::sql
