#include "words.hpp"

#include <pgsluice/sql/deallocated_name.hpp>

namespace pgsluice::sql {
namespace {

constexpr std::size_t longest_name = 63;  // NAMEDATALEN - 1

std::optional<std::string> name(ByteView& text) {
    if (!text.empty() && text.front() == '"') return take_quoted(text);
    std::string found = take_word(text);
    return found.empty() || found == "all" ? std::nullopt : std::optional(std::move(found));
}

}  // namespace

std::optional<std::string> deallocated_name(ByteView text) {
    skip_blanks(text);
    if (!take_word(text, "deallocate")) return std::nullopt;
    skip_blanks(text);
    // PREPARE may be left out, and may be the name.
    ByteView behind = text;
    const bool has_prepare = take_word(behind, "prepare") && !is_end(behind);
    if (has_prepare) text = behind;
    skip_blanks(text);
    auto found = name(text);
    if (!found || !is_end(text) || found->size() > longest_name) return std::nullopt;
    return found;
}

}  // namespace pgsluice::sql
