#include "search_path.hpp"

#include "glob.hpp"

#include <pgsluice/base/lower_case.hpp>

#include <algorithm>

namespace pgsluice::policy {
namespace {

constexpr std::string_view blanks = " \t\n\r\f\v";

void skip_blanks(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
}

// The identifier in front; nullopt where there is none. PostgreSQL: SplitIdentifierString.
std::optional<std::string> take_identifier(std::string_view& text) {
    std::string name;
    if (!text.starts_with('"')) {
        const std::size_t end = std::min(text.find_first_of(", \t\n\r\f\v"), text.size());
        name = lower_case(text.substr(0, end));
        text.remove_prefix(end);
        return name.empty() ? std::nullopt : std::optional(std::move(name));
    }
    text.remove_prefix(1);
    while (true) {
        const std::size_t quote = text.find('"');
        if (quote == std::string_view::npos) return std::nullopt;
        name += text.substr(0, quote);
        text.remove_prefix(quote + 1);
        if (!text.starts_with('"')) return name;
        name += '"';
        text.remove_prefix(1);
    }
}

std::optional<std::vector<std::string>> read(std::string_view value, std::string_view user) {
    std::vector<std::string> schemas;
    skip_blanks(value);
    while (!value.empty()) {
        auto name = take_identifier(value);
        if (!name) return std::nullopt;
        schemas.push_back(*name == "$user" ? std::string(user) : std::move(*name));
        skip_blanks(value);
        if (value.empty()) break;
        if (!value.starts_with(',')) return std::nullopt;
        value.remove_prefix(1);
        skip_blanks(value);
        if (value.empty()) return std::nullopt;
    }
    return schemas;
}

}  // namespace

SearchPath::SearchPath(std::string_view value, std::string_view user) : schemas_(read(value, user)) {}

bool SearchPath::may_lead_to(std::string_view schema_glob) const {
    if (!schemas_ || glob_matches(schema_glob, "pg_catalog") || glob_matches(schema_glob, "pg_temp")) return true;
    return std::any_of(schemas_->begin(), schemas_->end(),
                       [&](const std::string& schema) { return glob_matches(schema_glob, schema); });
}

bool SearchPath::leads_only_to(std::string_view schema_glob) const {
    if (!schemas_) return false;
    return std::all_of(schemas_->begin(), schemas_->end(),
                       [&](const std::string& schema) { return glob_matches(schema_glob, schema); });
}

}  // namespace pgsluice::policy
