#include "spelled_out.hpp"

#include "character_class.hpp"

#include <algorithm>
#include <charconv>

namespace pgsluice::sql {
namespace {

constexpr auto npos = ByteView::npos;

struct Escape {
    char means;
    std::size_t length;
};

// `prefix` characters, then digits of that base. Without a digit it is the character behind the backslash.
Escape read_number(ByteView text, std::size_t prefix, std::size_t most_digits, int base) {
    constexpr char beyond_ascii = '?';
    unsigned value = 0;
    const char* const begin = text.data() + prefix;
    const char* const end = begin + std::min(most_digits, text.size() - prefix);
    const auto read = std::from_chars(begin, end, value, base);
    if (read.ptr == begin) return {text[1], 2};
    return {value < 0x80 ? static_cast<char>(value) : beyond_ascii, static_cast<std::size_t>(read.ptr - text.data())};
}

// `text` begins with a backslash, and does not end behind it.
Escape read_escape(ByteView text) {
    switch (text[1]) {
        case 'x': return read_number(text, 2, 2, 16);
        case 'u': return read_number(text, 2, 4, 16);
        case 'U': return read_number(text, 2, 8, 16);
        default: break;
    }
    if (text[1] >= '0' && text[1] <= '7') return read_number(text, 1, 3, 8);
    return {text[1], 2};
}

// A string goes on behind its closing quote where the next one stands in another line, with nothing but comments to
// the end of theirs between them. The place behind the second quote; npos: it does not go on.
std::size_t continuation(ByteView text, std::size_t quote) {
    bool is_in_another_line = false;
    for (std::size_t at = quote + 1; at < text.size(); ++at) {
        if (text[at] == '\'') return is_in_another_line ? at + 1 : npos;
        if (text.substr(at).starts_with("--")) {
            while (at < text.size() && !is_of(text[at], line_end)) ++at;
            if (at == text.size()) return npos;
        }
        if (!is_of(text[at], space)) return npos;
        is_in_another_line = is_in_another_line || is_of(text[at], line_end);
    }
    return npos;
}

}  // namespace

std::optional<std::string> spelled_out(ByteView text) {
    std::string out;
    std::size_t copied = 0;
    for (std::size_t at = text.find_first_of("\\'"); at != npos; at = text.find_first_of("\\'", at)) {
        if (text[at] == '\\' && at + 1 < text.size()) {
            const Escape escape = read_escape(text.substr(at));
            out.append(text, copied, at - copied);
            out += escape.means;
            at += escape.length;
            copied = at;
        } else if (const std::size_t end = text[at] == '\'' ? continuation(text, at) : npos; end != npos) {
            out.append(text, copied, at - copied);
            at = end;
            copied = at;
        } else {
            ++at;
        }
    }
    if (copied == 0) return std::nullopt;
    return out.append(text, copied, npos);
}

}  // namespace pgsluice::sql
