#include "candidate.hpp"

#include <pgsluice/base/lower_case.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace pgsluice::sql {
namespace {

constexpr bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

constexpr bool is_word(char c) {
    const char l = lower_case(c);
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
           static_cast<unsigned char>(c) >= 128;
}

bool matches(ByteView text, std::size_t at, ByteView word) {
    if (text.size() - at < word.size()) return false;
    return std::equal(word.begin(), word.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
                      [](char a, char b) { return a == lower_case(b); });
}

// Words that begin a statement with an effect.
constexpr std::array<ByteView, 14> beginnings{"set",     "reset",      "discard", "listen",  "unlisten",
                                              "prepare", "deallocate", "declare", "close",   "load",
                                              "do",      "call",       "drop",    "rollback"};

// Behind blanks and comments; an unfinished comment hides nothing, since no statement can follow it.
std::size_t skip_blanks(ByteView text, std::size_t at) {
    while (at < text.size()) {
        if (is_space(text[at])) {
            ++at;
        } else if (matches(text, at, "--")) {
            at = std::min(text.find('\n', at), text.size());
        } else if (matches(text, at, "/*")) {
            int depth = 1;
            for (at += 2; at < text.size() && depth > 0;) {
                if (matches(text, at, "*/"))
                    --depth, at += 2;
                else if (matches(text, at, "/*"))
                    ++depth, at += 2;
                else
                    ++at;
            }
        } else {
            break;
        }
    }
    return at;
}

bool begins_with_effect(ByteView text, std::size_t at) {
    at = skip_blanks(text, at);
    if (at == text.size()) return false;
    const char first = lower_case(text[at]);
    return std::any_of(beginnings.begin(), beginnings.end(), [&](ByteView word) {
        return word[0] == first && matches(text, at, word) &&
               (at + word.size() == text.size() || !is_word(text[at + word.size()]));
    });
}

// Whether one of the words below may be recognized at a byte: by itself and the one before it.
bool is_mark(char before, char c) {
    switch (c) {
        case ';': return true;
        case '_': return lower_case(before) == 't' || lower_case(before) == 'g';
        case 'v':
        case 'V': return lower_case(before) == 'd';
        case 'm':
        case 'M': return lower_case(before) == 'e';
        case '&': return lower_case(before) == 'u';
        default: return false;
    }
}

// The same for a block of bytes at once: most have none. Bit 5 tells small letters from capitals; what else it confuses
// is told apart by is_mark().
using Block = unsigned char __attribute__((vector_size(16)));
constexpr std::size_t block_bytes = sizeof(Block);

bool has_mark(const char* at) {
    Block now, before;
    std::memcpy(&now, at, block_bytes);
    std::memcpy(&before, at - 1, block_bytes);
    const Block small = now | 0x20;
    before |= 0x20;
    const auto marked = (now == ';') | ((now == '_') & ((before == 't') | (before == 'g'))) |
                        ((small == 'v') & (before == 'd')) | ((small == 'm') & (before == 'e')) |
                        ((now == '&') & (before == 'u'));
    std::array<std::uint64_t, 2> words{};
    std::memcpy(words.data(), &marked, block_bytes);
    return (words[0] | words[1]) != 0;
}

bool is_effect_at(ByteView text, std::size_t at) {
    switch (lower_case(text[at])) {
        case ';': return begins_with_effect(text, at + 1);
        case '_':
            return (at >= 3 && matches(text, at - 3, "set_config")) ||
                   (at >= 2 && matches(text, at - 2, "pg_settings"));
        case 'v': return at >= 2 && matches(text, at - 2, "advisory");
        case 'm': {
            if (at < 2 || !matches(text, at - 2, "temp")) return false;
            if (at >= 5 && matches(text, at - 5, "pg_temp")) return true;
            if (at >= 3 && is_word(text[at - 3])) return false;
            const std::size_t end = matches(text, at - 2, "temporary") ? at + 7 : at + 2;
            return end == text.size() || !is_word(text[end]);
        }
        default: return true;  // U&"..." can spell any name
    }
}

}  // namespace

bool is_candidate(ByteView text) {
    // Of the first byte only a semicolon would matter, and the text begins behind it just as well.
    text.remove_prefix(std::min(text.find_first_not_of(';'), text.size()));
    if (begins_with_effect(text, 0)) return true;
    for (std::size_t at = 1; at < text.size();) {
        if (text.size() - at >= block_bytes && !has_mark(text.data() + at)) {
            at += block_bytes;
            continue;
        }
        const std::size_t end = std::min(at + block_bytes, text.size());
        for (; at < end; ++at) {
            if (is_mark(text[at - 1], text[at]) && is_effect_at(text, at)) return true;
        }
    }
    return false;
}

}  // namespace pgsluice::sql
