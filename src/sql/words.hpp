// Plain words at the front of a text, as PostgreSQL's lexer cuts them (src/backend/parser/scan.l): for the few
// statements that are known without a parser. Comments and quotes are for those who call.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <optional>
#include <string>

namespace pgsluice::sql {

void skip_blanks(ByteView& text);
// A word without quotes from the front of `text`, in lower case; empty where there is none.
std::string take_word(ByteView& text);
// The same where the word is known: `word` in lower case. False leaves `text` as it is. Allocates nothing.
bool take_word(ByteView& text, ByteView word);
// An identifier from the front of `text`, which begins with its double quote; a quote in it is doubled. nullopt where
// it is empty or has no end: `text` is of no use then.
std::optional<std::string> take_quoted(ByteView& text);
// Nothing but blanks and semicolons.
bool is_end(ByteView text);

}  // namespace pgsluice::sql
