#include <pgsluice/base/escape.hpp>

namespace pgsluice {
namespace {

constexpr char hex[] = "0123456789abcdef";

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

char32_t code_point_of(std::string_view sequence) {
    const auto first = static_cast<unsigned char>(sequence[0]);
    if (sequence.size() == 1) return first;
    char32_t code = first & (0x7Fu >> sequence.size());
    for (const char c : sequence.substr(1)) code = (code << 6) | (static_cast<unsigned char>(c) & 0x3Fu);
    return code;
}

// Appends the character at the front of `text`, as it is or as \xNN for each of its bytes. Gives its length.
std::size_t append_visibly(std::string& out, std::string_view text) {
    const std::size_t length = utf8_sequence_length(text);
    if (length > 0 && !control_at(text)) {
        out.append(text.substr(0, length));
        return length;
    }
    const std::size_t bytes = length == 0 ? 1 : length;
    for (const char octet : text.substr(0, bytes)) {
        out += "\\x";
        out += hex[static_cast<unsigned char>(octet) >> 4];
        out += hex[octet & 0x0F];
    }
    return bytes;
}

}  // namespace

std::optional<char32_t> control_at(std::string_view text) {
    const std::size_t length = utf8_sequence_length(text);
    if (length == 0) return std::nullopt;
    const char32_t code = code_point_of(text.substr(0, length));
    const bool is_control = code < 0x20 || (code >= 0x7F && code <= 0x9F);
    const bool ends_line = code == 0x2028 || code == 0x2029;
    const bool turns_direction = (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
    return is_control || ends_line || turns_direction ? std::optional(code) : std::nullopt;
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_sequence_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

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
        if (text[0] == '\\') out += '\\';
        text.remove_prefix(append_visibly(out, text));
    }
    return out;
}

std::string in_one_line(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) text.remove_prefix(append_visibly(out, text));
    return out;
}

}  // namespace pgsluice
