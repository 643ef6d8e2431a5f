// Statements that only begin or end a transaction, as the whole text of a Query: what drivers send around the others.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <cstdint>

namespace pgsluice::sql {

// By the command that PostgreSQL answers with.
enum class TransactionControl : std::uint8_t {
    none,  // anything else, and spellings that no driver uses (comments inside)
    begin,
    start_transaction,
    commit,    // END too
    rollback,  // ABORT too; not TO SAVEPOINT
};

// BEGIN and START TRANSACTION with any modes; the others without AND CHAIN, which begins another.
TransactionControl transaction_control(ByteView text);

}  // namespace pgsluice::sql
