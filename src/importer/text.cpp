#include "text.hpp"

#include <algorithm>

namespace pgsluice::importer {

std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        out.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

std::optional<std::string> cut_quoted(std::string_view& text, char quote) {
    std::string out;
    for (std::size_t at = 1; at < text.size(); ++at) {
        if (text[at] != quote) {
            out += text[at];
        } else if (at + 1 < text.size() && text[at + 1] == quote) {
            out += text[++at];
        } else {
            text.remove_prefix(at + 1);
            return out;
        }
    }
    return std::nullopt;
}

}  // namespace pgsluice::importer
