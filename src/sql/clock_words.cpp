#include "lexer.hpp"

#include <pgsluice/base/lower_case.hpp>
#include <pgsluice/sql/clock_words.hpp>

#include <algorithm>
#include <array>

namespace pgsluice::sql {
namespace {

constexpr bool is_ascii_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_clock_word(ByteView word) {
    static constexpr std::array<ByteView, 4> words{"now", "today", "tomorrow", "yesterday"};
    return std::any_of(words.begin(), words.end(), [&](ByteView each) {
        return std::equal(word.begin(), word.end(), each.begin(), each.end(),
                          [](char a, char b) { return lower_case(a) == b; });
    });
}

// The reader of dates takes any run of letters for a word, wherever it stands: '{now,x}', 'now()', 'today12:00'.
bool holds_clock_word(ByteView text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (!is_ascii_letter(text[at])) continue;
        const std::size_t begin = at;
        while (at < text.size() && is_ascii_letter(text[at])) ++at;
        if (is_clock_word(text.substr(begin, at - begin))) return true;
    }
    return false;
}

// Whether the characters of the constant are other than they stand there: an escape, or two strings that are one. A
// backslash may or may not be one, which is the session's to say.
bool is_doubtful(ByteView constant) {
    if (constant.find('\\') != ByteView::npos) return true;
    const std::size_t first = constant.find('\'');
    if (first == ByteView::npos) return false;
    for (std::size_t at = first + 1; at + 1 < constant.size(); ++at) {
        if (constant[at] != '\'') continue;
        if (constant[at + 1] != '\'') return true;
        ++at;
    }
    return false;
}

bool may_hold_string(ByteView text) {
    if (text.find('\'') != ByteView::npos) return true;
    // Of a tag, or $$; that of a parameter has a digit behind it.
    for (std::size_t at = text.find('$'); at != ByteView::npos; at = text.find('$', at + 1)) {
        const bool is_parameter = at + 1 < text.size() && text[at + 1] >= '0' && text[at + 1] <= '9';
        if (!is_parameter) return true;
    }
    return false;
}

}  // namespace

bool may_read_clock(ByteView text) {
    if (!may_hold_string(text)) return false;
    Lexer lexer(text, Reading{});
    for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
        if (token.kind == TokenKind::refused || token.kind == TokenKind::unicode_string) return true;
        if (token.kind != TokenKind::string) continue;
        if (is_doubtful(token.text) || holds_clock_word(token.text)) return true;
    }
    return false;
}

}  // namespace pgsluice::sql
