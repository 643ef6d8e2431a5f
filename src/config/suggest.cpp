#include "suggest.hpp"

#include <algorithm>
#include <cstddef>

namespace pgsluice::config {
namespace {

constexpr std::size_t longest_word = 64;  // beyond, nothing is "nearly right" and the table below would grow

// Insertions, deletions, substitutions and swapped neighbours (optimal string alignment).
std::size_t typing_errors(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> table(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) table[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j) table[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t substituted = table[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            table[i][j] = std::min({table[i - 1][j] + 1, table[i][j - 1] + 1, substituted});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                table[i][j] = std::min(table[i][j], table[i - 2][j - 2] + 1);
            }
        }
    }
    return table[a.size()][b.size()];
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
    if (word.size() > longest_word) return {};
    std::string best;
    std::size_t fewest = 3;
    for (const std::string& candidate : known) {
        if (candidate.size() > longest_word) continue;
        const std::size_t errors = typing_errors(word, candidate);
        if (errors < fewest && errors * 2 < candidate.size()) {
            fewest = errors;
            best = candidate;
        }
    }
    return best;
}

std::string one_of(const std::vector<std::string>& words) {
    std::string out;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
        out += words[i];
    }
    return out;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& known) {
    if (const std::string near = nearest(word, known); !near.empty()) return ", did you mean \"" + near + "\"?";
    return "; allowed is " + (known.empty() ? "nothing here" : one_of(known));
}

}  // namespace pgsluice::config
