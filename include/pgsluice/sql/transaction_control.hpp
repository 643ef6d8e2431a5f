// Statements that begin or end a transaction: as the whole text of a Query, which is what drivers send around the
// others, and in front of others.
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

// The first of several statements where it takes a transaction out of its failure: COMMIT, END, ROLLBACK and ABORT in
// plain words, also AND CHAIN and TO a savepoint. Empty where it is another, or spelled otherwise. Only of a text that
// can be parsed: of any other it may be part of a statement.
ByteView first_way_out(ByteView text);

}  // namespace pgsluice::sql
