#include "cost.hpp"

#include <algorithm>
#include <vector>

namespace pgsluice::sql {

namespace {

constexpr std::size_t longest_operator = 256;  // PostgreSQL refuses those of 64 and more
constexpr std::string_view operator_characters = "+-*/<>=~!@#%^&|`?";
constexpr std::uint64_t most = std::uint64_t{1} << 32;

// What is between two brackets, or the text around them all.
struct Level {
    std::uint64_t around = 1;   // how often the level is copied
    std::uint64_t weight = 1;   // how often what comes next in it is
    bool in_set = false;        // between SET and WHERE
    std::uint64_t targets = 0;  // of (a, b, c) behind SET; 0: it is no such list
};

class Copies {
  public:
    std::uint64_t count(const PgQuery__ScanResult& tokens) {
        for (std::size_t i = 0; i < tokens.n_tokens; ++i) take(tokens.tokens[i]->token);
        return copied_;
    }

  private:
    void take(PgQuery__Token token);
    void open(bool is_parenthesis);
    std::uint64_t close();

    std::vector<Level> levels_{Level{}};
    bool after_set_ = false;           // or a comma behind it: a list of targets may begin
    std::uint64_t after_targets_ = 0;  // how many just ended
    std::uint64_t copied_ = 0;
};

void Copies::open(bool is_parenthesis) {
    const Level& around = levels_.back();
    const bool is_targets = is_parenthesis && after_set_;
    levels_.push_back({.around = around.weight, .weight = around.weight, .targets = is_targets ? 1U : 0U});
}

std::uint64_t Copies::close() {
    if (levels_.size() == 1) return 0;
    const std::uint64_t targets = levels_.back().targets;
    levels_.pop_back();
    return targets;
}

void Copies::take(PgQuery__Token token) {
    if (token == PG_QUERY__TOKEN__SQL_COMMENT || token == PG_QUERY__TOKEN__C_COMMENT) return;
    copied_ = std::min(most, copied_ + levels_.back().weight - 1);
    std::uint64_t targets = 0;
    bool after_set = false;
    switch (token) {
        case PG_QUERY__TOKEN__ASCII_40:
        case PG_QUERY__TOKEN__ASCII_91: open(token == PG_QUERY__TOKEN__ASCII_40); break;
        case PG_QUERY__TOKEN__ASCII_41:
        case PG_QUERY__TOKEN__ASCII_93: targets = close(); break;
        case PG_QUERY__TOKEN__ASCII_44: {
            Level& level = levels_.back();
            if (level.targets != 0) ++level.targets;
            level.weight = level.around;
            after_set = level.in_set;
            break;
        }
        case PG_QUERY__TOKEN__ASCII_61: {
            Level& level = levels_.back();
            if (after_targets_ != 0) level.weight = std::min(most, level.around * after_targets_);
            break;
        }
        // It may be the name of a column too, so it ends nothing.
        case PG_QUERY__TOKEN__SET: after_set = levels_.back().in_set = true; break;
        // No expression has this word outside brackets.
        case PG_QUERY__TOKEN__WHERE:
            levels_.back().in_set = false;
            levels_.back().weight = levels_.back().around;
            break;
        case PG_QUERY__TOKEN__ASCII_59:
            if (levels_.size() == 1) levels_.back() = Level{};
            break;
        default: break;
    }
    after_set_ = after_set;
    after_targets_ = targets;
}

}  // namespace

bool has_long_operator(ByteView text) {
    std::size_t run = 0;
    char before = '\0';
    for (const char c : text) {
        const bool is_operator = operator_characters.find(c) != std::string_view::npos;
        const bool is_decoration = c == before && c != '+';  // as in /*** and ----, where nothing is cut off
        if (!is_operator)
            run = 0;
        else if (!is_decoration && ++run > longest_operator)
            return true;
        before = c;
    }
    return false;
}

std::uint64_t copied_tokens(const PgQuery__ScanResult& tokens) {
    return Copies().count(tokens);
}

std::variant<Tokens, Unparsable> affordable_tokens_of(const std::string& text) {
    constexpr std::uint64_t most_copies = 64 << 10;  // about 40 ms
    if (has_long_operator(text)) return Unparsable{"an operator in it is too long"};
    std::variant<Tokens, Unparsable> tokens = tokens_of(text);
    const auto* read = std::get_if<Tokens>(&tokens);
    if (read != nullptr && copied_tokens(**read) > most_copies) {
        return Unparsable{"it assigns too much to several columns at once"};
    }
    return tokens;
}

}  // namespace pgsluice::sql
