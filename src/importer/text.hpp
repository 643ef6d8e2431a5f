// What PgBouncer's files have in common: lines, blanks, and quotes that stand for themselves where they come twice.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::importer {

constexpr std::string_view blanks = " \t\r\v\f";

std::string_view trimmed(std::string_view text);

// Views of `text`, without their ends.
std::vector<std::string_view> lines_of(std::string_view text);

// Cuts what stands between two of `quote` off `text`, which begins with the first; nullopt where there is no second.
std::optional<std::string> cut_quoted(std::string_view& text, char quote);

}  // namespace pgsluice::importer
