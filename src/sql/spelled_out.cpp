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

struct Behind {
    bool goes_on;
    std::size_t at;  // the place behind the second quote; else where the search for one has ended
};

// A string goes on behind its closing quote where the next one stands in another line, with nothing but comments to
// the end of theirs between them.
Behind behind(ByteView text, std::size_t quote) {
    bool is_in_another_line = false;
    for (std::size_t at = quote + 1; at < text.size(); ++at) {
        if (text[at] == '\'') return {is_in_another_line, is_in_another_line ? at + 1 : at};
        if (text.substr(at).starts_with("--")) at = std::min(text.find_first_of("\n\r", at), text.size());
        if (at == text.size() || !is_of(text[at], space)) return {false, at};
        is_in_another_line = is_in_another_line || is_of(text[at], line_end);
    }
    return {false, text.size()};
}

}  // namespace

std::optional<std::string> spelled_out(ByteView text) {
    std::string out;
    std::size_t copied = 0;
    // No quote in front of that is followed by another: of those in a comment the search ends where it has ended.
    std::size_t searched = 0;
    const auto skip = [&](std::size_t from, std::size_t to) {
        out.append(text, copied, from - copied);
        copied = to;
        return to;
    };
    for (std::size_t at = text.find_first_of("\\'"); at != npos; at = text.find_first_of("\\'", at)) {
        if (text[at] == '\\' && at + 1 < text.size()) {
            const Escape escape = read_escape(text.substr(at));
            at = skip(at, at + escape.length);
            out += escape.means;
            continue;
        }
        const Behind found = text[at] == '\'' && at >= searched ? behind(text, at) : Behind{false, searched};
        searched = found.at;
        at = found.goes_on ? skip(at, found.at) : at + 1;
    }
    if (copied == 0) return std::nullopt;
    return out.append(text, copied, npos);
}

}  // namespace pgsluice::sql
