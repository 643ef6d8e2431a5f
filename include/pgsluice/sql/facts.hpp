// What a text of SQL is, as PostgreSQL's own parser reads it (libpg_query). Facts are about the whole text, whether it
// has one statement or several, and about all that is inside: what a CTE, EXPLAIN ANALYZE, COPY, PREPARE or DECLARE
// does, the text does. What functions and views do inside cannot be seen.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/sql/statement_kind.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace pgsluice::sql {

// A table, view, materialized view, sequence or foreign table by name. Names are as PostgreSQL has them after folding
// to lower case; names of CTEs are none.
struct Relation {
    std::string schema;  // empty where none is written
    std::string name;
    // Neither: named only, as by CREATE TABLE or LOCK. UPDATE, DELETE and MERGE read what they write, INSERT does with
    // RETURNING or DO UPDATE; DROP, ALTER and TRUNCATE write. EXPLAIN without ANALYZE, and what a view, rule or
    // function keeps for later, write nothing.
    bool is_read = false, is_written = false;
    friend bool operator==(const Relation&, const Relation&) = default;
};

// A function that is called, also by CALL or a trigger's definition, or as (x).name, which may be a field as well.
struct Function {
    std::string schema;  // empty where none is written; pg_catalog for some that stand for syntax, as like_escape
    std::string name;
    friend bool operator==(const Function&, const Function&) = default;
};

// A column that is read or assigned. Columns of subqueries and CTEs are none: those read what they return. Where
// columns get new names, or are compared without any (NATURAL JOIN), all are read. A function of one's own that is
// called as row.name looks like a column.
struct Column {
    std::string relation;  // whose it is, where the text says so (aliases are resolved); empty: any in the text, or
                           // any at all where it has rows of functions
    std::string name;      // "*": all of them, as by SELECT *, a whole row, or COPY without a list
    friend bool operator==(const Column&, const Column&) = default;
};

struct Facts {
    Kinds kinds;
    std::vector<Relation> relations;  // each once, in the order of their first appearance
    std::vector<Function> functions;
    std::vector<Column> columns;
    bool without_where = false;  // an UPDATE or DELETE in it has no WHERE
    bool without_limit = false;  // it returns the rows of a query that reads a relation, outermost without a LIMIT
    bool locks_rows = false;     // FOR UPDATE and its like
    bool may_write = false;      // anything but what is known to only read: not so for a function that writes inside
    // Rows of functions in FROM, or a field of a value, are among what it reads: a column of no relation may be of one
    // that is not in `relations`. PostgreSQL's own set-returning functions return what they are given, and do not
    // count.
    bool has_rows_of_functions = false;
    std::uint32_t statements = 0;
    std::uint32_t parameters = 0;   // the highest $n
    std::uint64_t fingerprint = 0;  // libpg_query's: equal for texts that differ in constants, spaces and comments
    std::string normalized;         // the text with $n in the place of constants, passwords too; comments left out
};

// Whether all that it names is ASCII, which is the same in every encoding.
bool names_only_ascii(const Facts& facts);

// Bytes that it takes, with all that belongs to it.
std::size_t memory_of(const Facts& facts);

struct Unparsable {
    std::string why;  // nothing that the text says is in it
};

// How a session's server would read the text.
struct Reading {
    bool standard_conforming_strings = true;
    friend bool operator==(const Reading&, const Reading&) = default;
};

// The longest text that may be parsed, and the stack that its thread has for that. libpg_query goes down the tree by
// recursion, with no limit of its own: 1922 bytes for a level. Measured, the worst texts ("+++...a+a+a...") of 16 KiB
// take 24.1 MiB, those of 64 KiB 69.1 MiB. The pages that are not touched cost nothing.
constexpr std::size_t longest_parsed_text = std::size_t{64} << 10;
constexpr std::size_t parser_stack_bytes = std::size_t{128} << 20;

// Parses: about half of what a transaction costs. The caller sees to it that the text is no longer, or short enough for
// the stack that there is.
std::variant<Facts, Unparsable> read_facts(ByteView text, Reading how);

}  // namespace pgsluice::sql
