// PgBouncer's ini files and the connection strings in them, as text.
#pragma once

#include "findings.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgsluice::importer {

struct Setting {
    std::string section, key, value;
    Place place;
};

// Every setting of `path` and of what it includes, in order; a key that comes again replaces the one before, in
// its place. A line that PgBouncer would refuse is a broken finding, and so are files of more than 64 MiB together.
std::vector<Setting> read_ini(const std::string& path, Findings& findings);

using Pairs = std::vector<std::pair<std::string, std::string>>;

// host=a port=5432 password='it''s'; nullopt where PgBouncer sees a syntax error.
std::optional<Pairs> parse_pairs(std::string_view text);

// a, b,c
std::vector<std::string> split_list(std::string_view text);

}  // namespace pgsluice::importer
