#include "words.hpp"

#include "character_class.hpp"

#include <pgsluice/base/lower_case.hpp>

#include <algorithm>

namespace pgsluice::sql {
namespace {

std::size_t word_size(ByteView text) {
    if (text.empty() || !is_of(text.front(), letter)) return 0;
    const auto end = std::find_if_not(text.begin(), text.end(), [](char c) { return is_of(c, word_part); });
    return static_cast<std::size_t>(end - text.begin());
}

}  // namespace

void skip_blanks(ByteView& text) {
    while (!text.empty() && is_of(text.front(), space)) text.remove_prefix(1);
}

std::string take_word(ByteView& text) {
    const std::size_t size = word_size(text);
    std::string found = lower_case(text.substr(0, size));
    text.remove_prefix(size);
    return found;
}

bool take_word(ByteView& text, ByteView word) {
    if (text.size() < word.size()) return false;
    const bool is_same =
        std::equal(word.begin(), word.end(), text.begin(), [](char a, char b) { return a == lower_case(b); });
    if (!is_same || word_size(text) != word.size()) return false;
    text.remove_prefix(word.size());
    return true;
}

std::optional<std::string> take_quoted(ByteView& text) {
    std::string found;
    for (std::size_t at = 1; at < text.size(); ++at) {
        if (text[at] == '"' && (at + 1 == text.size() || text[at + 1] != '"')) {
            text.remove_prefix(at + 1);
            return found.empty() ? std::nullopt : std::optional(found);
        }
        if (text[at] == '"') ++at;
        found += text[at];
    }
    return std::nullopt;
}

bool is_end(ByteView text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c == ';' || is_of(c, space); });
}

}  // namespace pgsluice::sql
