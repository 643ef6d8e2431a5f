// The parse tree of a text, and the lexer's tokens of it, from libpg_query.
#pragma once

#include "node.hpp"

#include <pgsluice/sql/facts.hpp>

#include <memory>
#include <string>
#include <variant>

namespace pgsluice::sql {

// While it lives, libpg_query reads as a session with these settings does on this thread.
class ReadingGuard {
  public:
    explicit ReadingGuard(Reading how);
    ~ReadingGuard();
    ReadingGuard(const ReadingGuard&) = delete;
    ReadingGuard& operator=(const ReadingGuard&) = delete;
};

struct FreeMessage {
    void operator()(PgQuery__ParseResult* tree) const { pg_query__parse_result__free_unpacked(tree, nullptr); }
    void operator()(PgQuery__ScanResult* tokens) const { pg_query__scan_result__free_unpacked(tokens, nullptr); }
};
using ParseTree = std::unique_ptr<PgQuery__ParseResult, FreeMessage>;
using Tokens = std::unique_ptr<PgQuery__ScanResult, FreeMessage>;

// `text` has no NUL. Both are to be called under a ReadingGuard, and never return nullptr.
std::variant<ParseTree, Unparsable> parse_tree_of(const std::string& text);
std::variant<Tokens, Unparsable> tokens_of(const std::string& text);

}  // namespace pgsluice::sql
