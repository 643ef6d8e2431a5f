#include "cost.hpp"
#include "lexer.hpp"
#include "normalized.hpp"
#include "parse_tree.hpp"
#include "walk.hpp"

#include <pgsluice/base/ascii.hpp>
#include <pgsluice/sql/facts.hpp>

#include <pg_query.h>

#include <algorithm>
#include <utility>

namespace pgsluice::sql {

namespace {

std::uint64_t fingerprint_of(const std::string& text) {
    const PgQueryFingerprintResult result = pg_query_fingerprint(text.c_str());
    const std::uint64_t fingerprint = result.error == nullptr ? result.fingerprint : 0;
    pg_query_free_fingerprint_result(result);
    return fingerprint;
}

// Merged with what statements before it have left.
void gather(const PgQuery__RawStmt& raw, Facts& facts, Walk& walk) {
    const Message* statement = unwrapped(raw.stmt);
    if (statement == nullptr) return;
    ++facts.statements;
    const bool reads = walk.run(*statement);
    if (reads && returns_without_limit(*statement)) facts.without_limit = true;
}

}  // namespace

bool names_only_ascii(const Facts& facts) {
    const auto in_schema = [](const auto& named) { return is_ascii(named.schema) && is_ascii(named.name); };
    const auto of_relation = [](const Column& column) { return is_ascii(column.relation) && is_ascii(column.name); };
    return std::all_of(facts.relations.begin(), facts.relations.end(), in_schema) &&
           std::all_of(facts.functions.begin(), facts.functions.end(), in_schema) &&
           std::all_of(facts.columns.begin(), facts.columns.end(), of_relation);
}

std::variant<Facts, Unparsable> read_facts(ByteView text, Reading how) {
    if (text.find('\0') != ByteView::npos) return Unparsable{"it has a NUL"};
    // libpg_query does not look past comments where PostgreSQL does.
    const std::string owned = without_comments(text, how).value_or(std::string(text));
    const ReadingGuard guard(how);
    std::variant<Tokens, Unparsable> tokens = affordable_tokens_of(owned);
    if (auto* failed = std::get_if<Unparsable>(&tokens)) return std::move(*failed);
    std::variant<ParseTree, Unparsable> tree = parse_tree_of(owned);
    if (auto* failed = std::get_if<Unparsable>(&tree)) return std::move(*failed);

    Facts facts;
    Walk walk(facts);
    const PgQuery__ParseResult& parsed = *std::get<ParseTree>(tree);
    for (std::size_t i = 0; i < parsed.n_stmts; ++i) gather(*parsed.stmts[i], facts, walk);
    facts.fingerprint = fingerprint_of(owned);
    facts.normalized = normalized(owned, *std::get<Tokens>(tokens), facts.parameters);
    return facts;
}

}  // namespace pgsluice::sql
