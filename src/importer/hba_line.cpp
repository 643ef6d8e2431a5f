#include "hba_line.hpp"

#include "text.hpp"

#include <algorithm>

namespace pgsluice::importer {

std::optional<std::vector<Field>> fields_of(std::string_view line) {
    std::vector<Field> out;
    bool is_continued = false;
    while (true) {
        line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
        if (line.empty() || line[0] == '#') return out;
        if (line[0] == ',') {
            is_continued = !out.empty();
            line.remove_prefix(1);
            continue;
        }
        Word word;
        if (line[0] == '"') {
            auto quoted = cut_quoted(line, '"');
            if (!quoted) return std::nullopt;
            word = {*std::move(quoted), true};
        } else {
            const auto end = std::min(line.find_first_of(" \t\r\v\f,#\""), line.size());
            word.text = line.substr(0, end);
            line.remove_prefix(end);
        }
        if (!is_continued) out.emplace_back();
        out.back().push_back(std::move(word));
        is_continued = false;
    }
}

}  // namespace pgsluice::importer
