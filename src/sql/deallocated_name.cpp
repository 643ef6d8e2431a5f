#include <pgsluice/base/lower_case.hpp>
#include <pgsluice/sql/deallocated_name.hpp>

#include <algorithm>

namespace pgsluice::sql {
namespace {

constexpr ByteView blanks = " \t\r\n\f";
constexpr std::size_t longest_name = 63;  // NAMEDATALEN - 1

void skip_blanks(ByteView& text) {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 128;
}

bool goes_on_in_name(char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '$';
}

// A word without quotes from the front of `text`, in lower case; empty where there is none.
std::string word(ByteView& text) {
    if (text.empty() || !is_letter(text.front())) return {};
    const auto end = std::find_if_not(text.begin(), text.end(), goes_on_in_name);
    const auto size = static_cast<std::size_t>(end - text.begin());
    std::string found = lower_case(text.substr(0, size));
    text.remove_prefix(size);
    return found;
}

// What stands between double quotes at the front of `text`; a quote in it is doubled.
std::optional<std::string> quoted(ByteView& text) {
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

std::optional<std::string> name(ByteView& text) {
    if (!text.empty() && text.front() == '"') return quoted(text);
    std::string found = word(text);
    return found.empty() || found == "all" ? std::nullopt : std::optional(std::move(found));
}

bool is_end(ByteView text) {
    return text.find_first_not_of("; \t\r\n\f") == ByteView::npos;
}

}  // namespace

std::optional<std::string> deallocated_name(ByteView text) {
    skip_blanks(text);
    if (word(text) != "deallocate") return std::nullopt;
    skip_blanks(text);
    // PREPARE may be left out, and may be the name.
    ByteView behind = text;
    const bool has_prepare = word(behind) == "prepare" && !is_end(behind);
    if (has_prepare) text = behind;
    skip_blanks(text);
    auto found = name(text);
    if (!found || !is_end(text) || found->size() > longest_name) return std::nullopt;
    return found;
}

}  // namespace pgsluice::sql
