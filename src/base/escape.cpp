#include <pgsluice/base/escape.hpp>

namespace pgsluice {
namespace {

constexpr char hex[] = "0123456789abcdef";

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// C0, DEL and C1 (U+0080 to U+009F): terminals act on all of them.
bool is_control(std::string_view text) {
    const auto first = static_cast<unsigned char>(text[0]);
    if (first == 0xC2 && text.size() > 1) return static_cast<unsigned char>(text[1]) < 0xA0;
    return first < 0x20 || first == 0x7F;
}

}  // namespace

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
std::size_t utf8_sequence_length(std::string_view text) {
    if (text.empty()) return 0;
    const auto first = static_cast<unsigned char>(text[0]);
    if (first < 0x80) return 1;
    std::size_t length = 0;
    if (first >= 0xC2 && first <= 0xDF)
        length = 2;
    else if (first >= 0xE0 && first <= 0xEF)
        length = 3;
    else if (first >= 0xF0 && first <= 0xF4)
        length = 4;
    if (length == 0 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if (!is_continuation(text[i])) return 0;
    }
    const auto second = static_cast<unsigned char>(text[1]);
    if (first == 0xE0 && second < 0xA0) return 0;
    if (first == 0xED && second > 0x9F) return 0;
    if (first == 0xF0 && second < 0x90) return 0;
    if (first == 0xF4 && second > 0x8F) return 0;
    return length;
}

std::string escaped(std::string_view text, std::size_t limit_bytes) {
    std::string out;
    out.reserve(text.size() < limit_bytes ? text.size() : limit_bytes);
    while (!text.empty()) {
        if (out.size() >= limit_bytes) return out + "...";
        std::size_t length = utf8_sequence_length(text);
        if (length == 0 || is_control(text)) {
            if (length == 0) length = 1;
            for (const char octet : text.substr(0, length)) {
                out += "\\x";
                out += hex[static_cast<unsigned char>(octet) >> 4];
                out += hex[octet & 0x0F];
            }
        } else if (text[0] == '\\') {
            out += "\\\\";
        } else {
            out.append(text.substr(0, length));
        }
        text.remove_prefix(length);
    }
    return out;
}

}  // namespace pgsluice
