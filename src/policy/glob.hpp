// Names with wildcards: * stands for any characters, ? for one. Everything else is itself, and case counts, since
// PostgreSQL has folded what was not quoted.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pgsluice::policy {

bool glob_matches(std::string_view glob, std::string_view name);

// A name that may be qualified: "users", "billing.*", "users.password".
struct NamePattern {
    std::string qualifier;  // empty: any
    std::string name;

    // nullopt where a part is empty or there are more than two.
    static std::optional<NamePattern> parse(std::string_view text);
    bool is_qualified() const { return !qualifier.empty(); }
};

}  // namespace pgsluice::policy
