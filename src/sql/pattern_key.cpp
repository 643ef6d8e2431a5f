#include "pattern_key.hpp"

#include <pgsluice/base/lower_case.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace pgsluice::sql {
namespace {

bool is_keyword(ByteView text, ByteView word) {
    return text.size() == word.size() &&
           std::equal(word.begin(), word.end(), text.begin(), [](char a, char b) { return a == lower_case(b); });
}

// Statements whose constants are all constants of expressions (A_Const), told by how they begin.
bool is_without_values(const Token& first) {
    static constexpr std::array<ByteView, 12> statements_without_values = {
        "(", "select", "insert", "update", "delete", "with", "merge", "values", "set", "execute", "call", "declare"};
    return std::any_of(statements_without_values.begin(), statements_without_values.end(),
                       [&](ByteView word) { return is_keyword(first.text, word); });
}

// What stands before a token, as far as it tells whether an integer is part of a type's name.
enum class Before : std::uint8_t {
    other,
    name,  // that may be a type's, or the end of one
    float_name,
    float_open,   // float(
    array_value,  // ARRAY where an expression begins
    bounds_open,  // name[
};

Before behind_word(Before before, ByteView word) {
    if (is_keyword(word, "float")) return Before::float_name;
    // Behind a name it may be the ARRAY of "int ARRAY[3]".
    return before == Before::other && is_keyword(word, "array") ? Before::array_value : Before::name;
}

Before behind(Before before, const Token& token) {
    if (token.kind == TokenKind::word) return behind_word(before, token.text);
    if (token.kind == TokenKind::quoted_identifier || token.kind == TokenKind::unicode_identifier) return Before::name;
    if (token.kind != TokenKind::symbol || token.text.size() > 1) return Before::other;
    switch (token.text.front()) {
        case ')':
        case ']': return Before::name;
        case '(': return before == Before::float_name ? Before::float_open : Before::other;
        case '[': return before == Before::name || before == Before::float_name ? Before::bounds_open : Before::other;
        default: return Before::other;
    }
}

bool is_part_of_type(Before before, TokenKind kind) {
    return kind == TokenKind::integer && (before == Before::float_open || before == Before::bounds_open);
}

constexpr char mark_of(TokenKind kind) {
    return static_cast<char>(kind);
}

}  // namespace

// A mark is a byte that begins no token, and is complete; a token that stands for itself ends with NUL, which no token
// has inside. So a key can be cut in one way only.
bool PatternKey::build(ByteView text, Reading how) {
    if (text.find('\0') != ByteView::npos) return false;
    if (capacity_ < 2 * text.size()) {
        capacity_ = 2 * text.size();
        bytes_ = std::make_unique_for_overwrite<char[]>(capacity_);
    }
    char* out = bytes_.get();
    has_values_ = false;
    left_out_.clear();
    left_out_.reserve(most_listed);
    std::size_t values_left_out = 0;
    bool leaves_values_out = true, is_first = true;
    Before before = Before::other;
    Lexer lexer(text, how);
    for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
        if (token.kind == TokenKind::refused || token.kind == TokenKind::unknown) return false;
        const bool ends_statement = token.text == ";";
        if (is_first && !ends_statement) leaves_values_out = leaves_values_out && is_without_values(token);
        is_first = ends_statement;
        if (token.kind == TokenKind::unicode_identifier) leaves_values_out = false;

        const bool has_value = is_constant(token.kind);
        const bool is_left_out = has_value && leaves_values_out && !is_part_of_type(before, token.kind);
        if (is_left_out && ++values_left_out <= most_listed) left_out_.push_back(token);
        if (is_left_out || token.kind == TokenKind::national) {
            *out++ = mark_of(token.kind);
        } else {
            std::memcpy(out, token.text.data(), token.text.size());
            out += token.text.size();
            *out++ = '\0';
            has_values_ = has_values_ || has_value;
        }
        before = behind(before, token);
    }
    size_ = static_cast<std::size_t>(out - bytes_.get());
    if (values_left_out > most_listed) left_out_.clear();
    return true;
}

void PatternKey::release() {
    bytes_.reset();
    left_out_ = std::vector<Token>();
    size_ = capacity_ = 0;
}

}  // namespace pgsluice::sql
