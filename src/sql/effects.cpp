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

}  // namespace pgsluice::sql
