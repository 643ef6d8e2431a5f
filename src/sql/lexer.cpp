#include "lexer.hpp"

#include "character_class.hpp"

#include <algorithm>

namespace pgsluice::sql {
namespace {

constexpr auto npos = ByteView::npos;
constexpr std::size_t longest_operator = 63;  // NAMEDATALEN - 1

bool fits_in_int32(ByteView digits) {
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
    constexpr ByteView largest = "2147483647";
    return digits.size() < largest.size() || (digits.size() == largest.size() && digits <= largest);
}

// An operator does not end in + or -, unless something in it could not stand in SQL's own operators: "a=-1" is as
// "a = -1", and "@-" one operator.
std::size_t without_signs(ByteView text) {
    const auto is_sign = [](char c) { return c == '+' || c == '-'; };
    std::size_t size = text.size();
    if (size < 2 || !is_sign(text.back()) || text.substr(0, size - 1).find_first_of("~!@#^&|`?%") != npos) return size;
    while (size > 1 && is_sign(text[size - 1])) --size;
    return size;
}

}  // namespace

Token Lexer::token(TokenKind kind, std::size_t begin, std::size_t end) {
    if (end == npos) return {TokenKind::refused, {}};
    at_ = end;
    return {kind, {text_.data() + begin, end - begin}};
}

std::size_t Lexer::run_of(std::size_t from, unsigned classes) const {
    while (from < text_.size() && is_of(text_[from], classes)) ++from;
    return from;
}

std::size_t Lexer::operators_end(std::size_t from) const {
    for (; is_of(at(from), operator_part); ++from) {
        const char c = text_[from], behind = at(from + 1);
        if ((c == '-' && behind == '-') || (c == '/' && behind == '*')) break;
    }
    return from;
}

// From the first character inside; comments nest.
std::size_t Lexer::comment_end(std::size_t from) const {
    for (std::size_t depth = 1; from < text_.size(); ++from) {
        if (text_[from] == '*' && at(from + 1) == '/') {
            ++from;
            if (--depth == 0) return from + 1;
        } else if (text_[from] == '/' && at(from + 1) == '*') {
            ++from;
            ++depth;
        }
    }
    return npos;
}

std::size_t Lexer::skip_blanks(std::size_t from) const {
    while (from < text_.size()) {
        const char c = text_[from];
        if (is_of(c, space)) {
            ++from;
        } else if (c == '-' && at(from + 1) == '-') {
            from = std::min(text_.find_first_of("\n\r", from), text_.size());
        } else if (c == '/' && at(from + 1) == '*') {
            from = comment_end(from + 2);
        } else {
            break;
        }
    }
    return from;
}

// Behind the quote that continues a string whose end quote stands before `from`: only spaces and comments of the kind
// "--" are between them, and an end of line. npos where the string is over.
std::size_t Lexer::continuation(std::size_t from) const {
    bool has_line_end = false;
    while (from < text_.size()) {
        const char c = text_[from];
        if (is_of(c, space)) {
            has_line_end = has_line_end || is_of(c, line_end);
            ++from;
        } else if (c == '-' && at(from + 1) == '-') {
            const std::size_t begin = from;
            from = std::min(text_.find_first_of("\n\r", from), text_.size());
            if (behind_strings_ != nullptr) behind_strings_->push_back(text_.substr(begin, from - begin));
        } else {
            return c == '\'' && has_line_end ? from + 1 : npos;
        }
    }
    return npos;
}

std::size_t Lexer::string_end(std::size_t from, bool has_escapes, bool has_doubled_quotes) const {
    while (true) {
        from = has_escapes ? text_.find_first_of("'\\", from) : text_.find('\'', from);
        if (from == npos) return npos;
        if (text_[from] == '\\' || (has_doubled_quotes && at(from + 1) == '\'')) {
            from += 2;
        } else if (const std::size_t goes_on = continuation(from + 1); goes_on != npos) {
            from = goes_on;
        } else {
            return from + 1;
        }
    }
}

// An identifier is not empty.
std::size_t Lexer::identifier_end(std::size_t from) const {
    const std::size_t begin = from;
    while (true) {
        from = text_.find('"', from);
        if (from == npos) return npos;
        if (at(from + 1) != '"') return from == begin ? npos : from + 1;
        from += 2;
    }
}

// Also what looks like a word and is the beginning of a constant.
Token Lexer::word(std::size_t begin) {
    const char quote = at(begin + 1);
    if (quote == '\'') {
        switch (text_[begin] | 0x20) {
            case 'b': return token(TokenKind::bit_string, begin, string_end(begin + 2, false, false));
            case 'x': return token(TokenKind::hex_string, begin, string_end(begin + 2, false, false));
            case 'e': return token(TokenKind::string, begin, string_end(begin + 2, true, true));
            case 'n': return token(TokenKind::national, begin, begin + 1);
            default: break;
        }
    } else if (quote == '&' && (text_[begin] | 0x20) == 'u') {
        if (at(begin + 2) == '"') return token(TokenKind::unicode_identifier, begin, identifier_end(begin + 3));
        if (at(begin + 2) == '\'') {
            const bool is_safe = how_.standard_conforming_strings;
            return token(TokenKind::unicode_string, begin, is_safe ? string_end(begin + 3, false, true) : npos);
        }
    }
    return token(TokenKind::word, begin, run_of(begin, word_part));
}

// From a digit, or a point before one. A letter directly behind a number is refused since PostgreSQL 15.
Token Lexer::number(std::size_t begin) {
    std::size_t end = run_of(begin, digit);
    bool is_integer = true;
    if (at(end) == '.' && (end == begin || at(end + 1) != '.')) {  // not the range of 1..2
        end = run_of(end + 1, digit);
        is_integer = false;
    }
    if ((at(end) | 0x20) == 'e') {
        const bool has_sign = at(end + 1) == '+' || at(end + 1) == '-';
        const std::size_t exponent = end + (has_sign ? 2 : 1);
        end = run_of(exponent, digit);
        if (end == exponent) return token(TokenKind::refused, begin, npos);
        is_integer = false;
    }
    if (is_of(at(end), letter)) return token(TokenKind::refused, begin, npos);
    is_integer = is_integer && fits_in_int32(text_.substr(begin, end - begin));
    return token(is_integer ? TokenKind::integer : TokenKind::numeric, begin, end);
}

Token Lexer::after_dollar(std::size_t begin) {
    if (is_of(at(begin + 1), digit)) {
        const std::size_t end = run_of(begin + 1, digit);
        return token(TokenKind::parameter, begin, is_of(at(end), letter) ? npos : end);
    }
    const std::size_t tag_end = run_of(begin + 1, letter | digit);
    if (at(tag_end) != '$') return token(TokenKind::unknown, begin, begin + 1);
    const ByteView tag = text_.substr(begin, tag_end + 1 - begin);
    const std::size_t end = text_.find(tag, tag_end + 1);
    return token(TokenKind::string, begin, end == npos ? npos : end + tag.size());
}

// Of operators the longest run of their characters, short of a comment that begins in it. The signs that were cut off
// one are tokens by themselves, each: so no run is gone through more than once.
Token Lexer::symbol(std::size_t begin) {
    if (!is_of(text_[begin], operator_part)) {
        const char c = text_[begin], behind = at(begin + 1);
        const bool is_pair = (c == '.' && behind == '.') || (c == ':' && (behind == ':' || behind == '='));
        return token(TokenKind::symbol, begin, begin + (is_pair ? 2 : 1));
    }
    if (begin < signs_end_) return token(TokenKind::symbol, begin, begin + 1);
    const ByteView run = text_.substr(begin, operators_end(begin) - begin);
    const std::size_t size = without_signs(run);
    if (size < run.size()) signs_end_ = begin + run.size();
    return token(TokenKind::symbol, begin, size > longest_operator ? npos : begin + size);
}

Token Lexer::next() {
    const std::size_t begin = skip_blanks(at_);
    if (begin == npos) return {TokenKind::refused, {}};
    if (begin >= text_.size()) return {TokenKind::end, {}};
    const char c = text_[begin];
    if (is_of(c, letter)) return word(begin);
    if (is_of(c, digit) || (c == '.' && is_of(at(begin + 1), digit))) return number(begin);
    if (is_of(c, operator_part | stands_alone)) return symbol(begin);
    switch (c) {
        case '\'':
            return token(TokenKind::string, begin, string_end(begin + 1, !how_.standard_conforming_strings, true));
        case '"': return token(TokenKind::quoted_identifier, begin, identifier_end(begin + 1));
        case '$': return after_dollar(begin);
        default: return token(TokenKind::unknown, begin, begin + 1);
    }
}

std::optional<std::string> without_comments(ByteView text, Reading how) {
    std::string bare(text.size(), ' ');
    const auto place_of = [&](ByteView part) { return static_cast<std::size_t>(part.data() - text.data()); };
    std::vector<ByteView> comments;
    Lexer lexer(text, how);
    lexer.behind_strings_ = &comments;
    // Ends of lines between tokens go too, for they could make one string of two.
    for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
        if (token.kind == TokenKind::refused) return std::nullopt;
        bare.replace(place_of(token.text), token.text.size(), token.text);
    }
    for (const ByteView comment : comments) bare.replace(place_of(comment), comment.size(), comment.size(), ' ');
    return bare;
}

}  // namespace pgsluice::sql
