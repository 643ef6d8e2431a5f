// Cuts a text into the tokens that PostgreSQL 15's lexer sees (src/backend/parser/scan.l); comments and spaces are left
// out. It cuts and does not decode: what an escape in a string means, and whether it means anything, is for the server.
#pragma once

#include <pgsluice/sql/facts.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pgsluice::sql {

enum class TokenKind : std::uint8_t {
    end,
    refused,             // no lexer of PostgreSQL 15 accepts the text: a quote without its end, 1x, "", ...
    word,                // keyword or identifier without quotes
    quoted_identifier,   // "..."
    unicode_identifier,  // U&"..."; UESCAPE and its string are tokens of their own
    parameter,           // $1
    symbol,              // operators and punctuation
    unknown,             // a character that begins no token, such as { or a lone $; no grammar has a place for it
    national,            // the N of N'...', whose string is the next token
    // Constants; a sign is none of their parts.
    integer,         // of 32 bits, without sign
    numeric,         // any other number
    string,          // '...', E'...', $$...$$
    unicode_string,  // U&'...'
    bit_string,      // B'...'
    hex_string,      // X'...'
};

constexpr bool is_constant(TokenKind kind) {
    return kind >= TokenKind::integer;
}

struct Token {
    TokenKind kind = TokenKind::end;
    ByteView text;  // of the text that is read; strings that are continued on another line are one token
};

class Lexer {
  public:
    Lexer(ByteView text, Reading how) : text_(text), how_(how) {}

    // What follows a refused token is not to be asked for.
    Token next();

  private:
    friend std::optional<std::string> without_comments(ByteView text, Reading how);

    // The character at a place; NUL, which is in no class, behind the end.
    char at(std::size_t place) const { return place < text_.size() ? text_[place] : '\0'; }
    std::size_t run_of(std::size_t from, unsigned classes) const;
    std::size_t operators_end(std::size_t from) const;

    // Where the next token begins; npos in an unfinished comment.
    std::size_t skip_blanks(std::size_t from) const;
    std::size_t comment_end(std::size_t from) const;
    // Each takes the place behind the opening quote, and says where the token ends; npos where it does not.
    std::size_t string_end(std::size_t from, bool has_escapes, bool has_doubled_quotes) const;
    std::size_t identifier_end(std::size_t from) const;
    std::size_t continuation(std::size_t from) const;

    Token token(TokenKind kind, std::size_t begin, std::size_t end);
    Token word(std::size_t begin);
    Token number(std::size_t begin);
    Token after_dollar(std::size_t begin);
    Token symbol(std::size_t begin);

    const ByteView text_;
    const Reading how_;
    std::size_t at_ = 0;
    std::size_t signs_end_ = 0;  // up to there is nothing but signs that are no part of a longer operator
    std::vector<ByteView>* behind_strings_ = nullptr;  // where wanted: the comments that a string may go on behind
};

// The text with spaces in the place of comments, so that all else stays where it is. For libpg_query, which does not
// look past a comment where PostgreSQL does: in a continued string, and where its grammar needs a token ahead, as in
// "a NOT /**/ IN (1)". nullopt for a text that the lexer refuses.
std::optional<std::string> without_comments(ByteView text, Reading how);

}  // namespace pgsluice::sql
