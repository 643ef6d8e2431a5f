// Texts of statements, as strangers write them: our lexer cuts them as PostgreSQL's own does (libpg_query), and refuses
// what that refuses, but for what is wrong with the value of a constant.
#include "fuzz.hpp"
#include "sql/character_class.hpp"
#include "sql/lexer.hpp"

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#include <optional>
#include <vector>

// libpg_query's setting, which its headers do not have.
extern "C" __thread bool standard_conforming_strings;

using namespace pgsluice;
using sql::Token;
using sql::TokenKind;

namespace {

// nullopt where a token is refused.
std::optional<std::vector<Token>> our_tokens(ByteView text, sql::Reading how) {
    sql::Lexer lexer(text, how);
    std::vector<Token> tokens;
    for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
        if (token.kind == TokenKind::refused) return std::nullopt;
        tokens.push_back(token);
    }
    return tokens;
}

TokenKind kind_of(const PgQuery__ScanToken& token, ByteView text) {
    const char first = text[static_cast<std::size_t>(token.start)];
    switch (token.token) {
        case PG_QUERY__TOKEN__UIDENT: return TokenKind::unicode_identifier;
        case PG_QUERY__TOKEN__FCONST: return TokenKind::numeric;
        case PG_QUERY__TOKEN__SCONST: return TokenKind::string;
        case PG_QUERY__TOKEN__USCONST: return TokenKind::unicode_string;
        case PG_QUERY__TOKEN__BCONST: return TokenKind::bit_string;
        case PG_QUERY__TOKEN__XCONST: return TokenKind::hex_string;
        case PG_QUERY__TOKEN__ICONST: return TokenKind::integer;
        case PG_QUERY__TOKEN__PARAM: return TokenKind::parameter;
        case PG_QUERY__TOKEN__NCHAR: return token.end - token.start == 1 ? TokenKind::national : TokenKind::word;
        default: break;
    }
    if (token.token < 256) {
        return sql::is_of(first, sql::stands_alone) ? TokenKind::symbol : TokenKind::unknown;
    }
    if (token.token == PG_QUERY__TOKEN__Op) return TokenKind::symbol;
    if (token.token >= PG_QUERY__TOKEN__TYPECAST && token.token <= PG_QUERY__TOKEN__NOT_EQUALS)
        return TokenKind::symbol;
    return first == '"' ? TokenKind::quoted_identifier : TokenKind::word;
}

void compare(const Token& ours, const PgQuery__ScanToken& theirs, ByteView text) {
    const auto begin = static_cast<std::size_t>(ours.text.data() - text.data());
    PGSLUICE_CHECK(begin == static_cast<std::size_t>(theirs.start));
    PGSLUICE_CHECK(ours.kind == kind_of(theirs, text));
    // libpg_query gives these no end.
    if (ours.kind == TokenKind::unicode_identifier || ours.kind == TokenKind::unicode_string) return;
    PGSLUICE_CHECK(begin + ours.text.size() == static_cast<std::size_t>(theirs.end));
}

void compare(const std::vector<Token>& ours, const PgQueryProtobuf& packed, ByteView text) {
    PgQuery__ScanResult* theirs =
        pg_query__scan_result__unpack(nullptr, packed.len, reinterpret_cast<const std::uint8_t*>(packed.data));
    PGSLUICE_CHECK(theirs != nullptr);
    std::size_t matched = 0;
    for (std::size_t i = 0; i < theirs->n_tokens; ++i) {
        const PgQuery__ScanToken& token = *theirs->tokens[i];
        if (token.token == PG_QUERY__TOKEN__SQL_COMMENT || token.token == PG_QUERY__TOKEN__C_COMMENT) continue;
        PGSLUICE_CHECK(matched < ours.size());
        compare(ours[matched++], token, text);
    }
    PGSLUICE_CHECK(matched == ours.size());
    pg_query__scan_result__free_unpacked(theirs, nullptr);
}

// A comment between the parts of a string. PostgreSQL takes it for a blank; libpg_query ends the string before it,
// since its scanner has comments for tokens.
bool continues_behind_comment(ByteView text) {
    for (std::size_t at = text.find("--"); at != ByteView::npos; at = text.find("--", at + 2)) {
        const std::size_t before = text.find_last_not_of(" \t\n\r\f", at - 1);
        if (at > 0 && before != ByteView::npos && text[before] == '\'') return true;
    }
    return false;
}

bool is_about_a_value(ByteView message) {
    return message.starts_with("invalid ") || message.starts_with("unsafe use of \\'");
}

void compare(const std::string& text, bool is_standard) {
    const auto ours = our_tokens(text, {.standard_conforming_strings = is_standard});
    standard_conforming_strings = is_standard;
    const PgQueryScanResult theirs = pg_query_scan(text.c_str());
    standard_conforming_strings = true;
    if (theirs.error != nullptr) {
        PGSLUICE_CHECK(!ours || is_about_a_value(theirs.error->message));
    } else {
        PGSLUICE_CHECK(ours.has_value());
        compare(*ours, theirs.pbuf, text);
    }
    pg_query_free_scan_result(theirs);
}

// Comments that are blanked leave every token where it was.
void check_bare(const std::string& text, const std::string& bare, sql::Reading how) {
    PGSLUICE_CHECK(bare.size() == text.size());
    const auto before = our_tokens(text, how);
    const auto after = our_tokens(bare, how);
    PGSLUICE_CHECK(before && after && before->size() == after->size());
    for (std::size_t i = 0; i < before->size(); ++i) {
        const Token &one = (*before)[i], &other = (*after)[i];
        PGSLUICE_CHECK(one.kind == other.kind && one.text.size() == other.text.size());
        PGSLUICE_CHECK(one.text.data() - text.data() == other.text.data() - bare.data());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteView input = fuzz::view(data, size);
    const bool is_standard = (fuzz::choice(input) & 1) == 0;
    // A copy, for the sanitizer; NUL ends a text.
    const std::string text(fuzz::part(input, '\0'));
    if (!continues_behind_comment(text)) compare(text, is_standard);
    const sql::Reading how{.standard_conforming_strings = is_standard};
    if (const auto bare = sql::without_comments(text, how)) {
        check_bare(text, *bare, how);
        compare(*bare, is_standard);
    }
    return 0;
}
