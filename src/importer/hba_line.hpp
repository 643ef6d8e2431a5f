// A line of pg_hba.conf or pg_ident.conf as fields, each a list of words with commas between them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::importer {

struct Word {
    std::string text;
    bool is_quoted = false;
    bool is(std::string_view keyword) const { return !is_quoted && text == keyword; }
};
using Field = std::vector<Word>;  // never empty

// Up to the comment; nullopt where a quote is not closed.
std::optional<std::vector<Field>> fields_of(std::string_view line);

}  // namespace pgsluice::importer
