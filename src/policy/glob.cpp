#include "glob.hpp"

namespace pgsluice::policy {

// When a character does not fit, the last * takes one more. Nothing is gained by going back to one before it.
bool glob_matches(std::string_view glob, std::string_view name) {
    std::size_t at = 0;
    std::size_t in_name = 0;
    std::size_t star = std::string_view::npos;
    std::size_t taken_by_star = 0;
    while (in_name < name.size()) {
        if (at < glob.size() && glob[at] == '*') {
            star = at++;
            taken_by_star = in_name;
        } else if (at < glob.size() && (glob[at] == '?' || glob[at] == name[in_name])) {
            ++at;
            ++in_name;
        } else if (star != std::string_view::npos) {
            at = star + 1;
            in_name = ++taken_by_star;
        } else {
            return false;
        }
    }
    while (at < glob.size() && glob[at] == '*') ++at;
    return at == glob.size();
}

std::optional<NamePattern> NamePattern::parse(std::string_view text) {
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos) {
        if (text.empty()) return std::nullopt;
        return NamePattern{{}, std::string(text)};
    }
    NamePattern pattern{std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
    if (pattern.qualifier.empty() || pattern.name.empty() || pattern.name.find('.') != std::string::npos) {
        return std::nullopt;
    }
    return pattern;
}

}  // namespace pgsluice::policy
