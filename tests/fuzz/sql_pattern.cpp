// Texts of statements, as strangers write them: the pattern key of a text has its tokens in it and nothing else, and
// what it leaves out libpg_query's fingerprint does not depend on. What fits the text's stencil has the same key.
#include "fuzz.hpp"
#include "sql/lexer.hpp"
#include "sql/pattern_key.hpp"
#include "sql/stencil.hpp"

#include <pg_query.h>

#include <utility>
#include <vector>

using namespace pgsluice;
using sql::Token;
using sql::TokenKind;

namespace {

// No comment: libpg_query does not parse "a NOT /**/ IN (1)" and others in which PostgreSQL looks one token ahead. No
// end of a line, which would make one string of two.
constexpr ByteView blank = " \t\f ";

// Empty where the text does not parse.
std::string fingerprint_of(const std::string& text) {
    const PgQueryFingerprintResult result = pg_query_fingerprint(text.c_str());
    std::string fingerprint = result.error == nullptr ? result.fingerprint_str : "";
    pg_query_free_fingerprint_result(result);
    return fingerprint;
}

std::string key_of(ByteView text) {
    sql::PatternKey key;
    PGSLUICE_CHECK(key.build(text, {}));
    return std::string(key.bytes());
}

std::vector<Token> tokens_of(ByteView text) {
    sql::Lexer lexer(text, {});
    std::vector<Token> tokens;
    for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) tokens.push_back(token);
    return tokens;
}

// Cuts a key again, without knowing why anything was left out.
void check_key(ByteView key, const std::vector<Token>& tokens) {
    for (const Token& token : tokens) {
        PGSLUICE_CHECK(!key.empty());
        if (static_cast<unsigned char>(key.front()) < ' ') {
            PGSLUICE_CHECK(key.front() == static_cast<char>(token.kind));
            PGSLUICE_CHECK(sql::is_constant(token.kind) || token.kind == TokenKind::national);
            key.remove_prefix(1);
        } else {
            PGSLUICE_CHECK(fuzz::part(key, '\0') == token.text);
            PGSLUICE_CHECK(token.kind != TokenKind::national);
        }
    }
    PGSLUICE_CHECK(key.empty());
}

ByteView other_value(TokenKind kind) {
    switch (kind) {
        case TokenKind::integer: return "31";
        case TokenKind::numeric: return "3.25";
        case TokenKind::unicode_string: return "U&'x'";
        case TokenKind::bit_string: return "B'101'";
        case TokenKind::hex_string: return "X'1F'";
        default: return "'!'";  // also behind UESCAPE
    }
}

// The same tokens with something else between them.
std::string spread(const std::vector<Token>& tokens, ByteView between) {
    std::string text;
    for (const Token& token : tokens) {
        text += token.text;
        if (token.kind != TokenKind::national) text += between;
    }
    return text;
}

// The same tokens with other values of every constant that the key leaves out.
std::vector<Token> with_other_values(std::vector<Token> tokens, const std::string& key) {
    for (Token& token : tokens) {
        if (!sql::is_constant(token.kind)) continue;
        const ByteView before = std::exchange(token.text, other_value(token.kind));
        if (key_of(spread(tokens, blank)) != key) token.text = before;
    }
    return tokens;
}

// `others`: texts that are likely to fit, for they begin as the text does or have its tokens.
void check_stencil(const std::string& text, const sql::PatternKey& key, const std::vector<std::string>& others) {
    const auto stencil = sql::Stencil::made_of(text, {}, key.left_out());
    if (!stencil) return;
    for (const std::string& other : others) {
        if (stencil->fits(other, {})) PGSLUICE_CHECK(key_of(other) == key.bytes());
    }
}

// The text with the parts of `fillings` in the places of its left-out values.
std::string filled(const std::string& text, const sql::PatternKey& key, ByteView fillings) {
    std::string other;
    const char* from = text.data();
    for (const Token& value : key.left_out()) {
        other.append(from, value.text.data());
        other += fuzz::part(fillings, '\x01');
        from = value.text.data() + value.text.size();
    }
    return other.append(from, text.data() + text.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteView input = fuzz::view(data, size);
    const std::string text(fuzz::part(input, '\0'));
    if (text.size() > 1000) return 0;
    sql::PatternKey key;
    if (!key.build(text, {})) {
        PGSLUICE_CHECK(fingerprint_of(text).empty());
        return 0;
    }
    check_stencil(text, key, {text, std::string(input), filled(text, key, input)});
    const std::vector<Token> tokens = tokens_of(text);
    const std::string bytes(key.bytes());
    check_key(bytes, tokens);
    PGSLUICE_CHECK(key_of(spread(tokens, " /* ' */ ")) == bytes);
    PGSLUICE_CHECK(key_of(spread(tokens, " -- '\n/**/")) == bytes);
    // What does not parse has no facts that others could be taken for.
    const std::string fingerprint = fingerprint_of(text);
    if (fingerprint.empty()) return 0;
    PGSLUICE_CHECK(fingerprint_of(spread(with_other_values(tokens, bytes), blank)) == fingerprint);
    return 0;
}
