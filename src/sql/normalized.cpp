#include "normalized.hpp"

#include <algorithm>

namespace pgsluice::sql {

namespace {

bool is_constant(PgQuery__Token token) {
    switch (token) {
        case PG_QUERY__TOKEN__SCONST:
        case PG_QUERY__TOKEN__USCONST:
        case PG_QUERY__TOKEN__BCONST:
        case PG_QUERY__TOKEN__XCONST:
        case PG_QUERY__TOKEN__ICONST:
        case PG_QUERY__TOKEN__FCONST: return true;
        default: return false;
    }
}

bool is_comment(PgQuery__Token token) {
    return token == PG_QUERY__TOKEN__SQL_COMMENT || token == PG_QUERY__TOKEN__C_COMMENT;
}

// Octets above ASCII are letters to PostgreSQL's lexer.
bool goes_on_in_word(char c) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
    return is_letter || (c >= '0' && c <= '9') || c == '_' || c == '$';
}

// What ALTER ROLE and ALTER DATABASE set may be written without quotes: words there are constants to PostgreSQL.
class SettingValues {
  public:
    // Of the tokens of a text in their order. True: it is a value, or part of one.
    bool take(PgQuery__Token token) {
        const At before = at_;
        at_ = next(token);
        return before == At::value && at_ == At::value && token != PG_QUERY__TOKEN__ASCII_44 &&
               token != PG_QUERY__TOKEN__ASCII_45 && token != PG_QUERY__TOKEN__DEFAULT;
    }

  private:
    enum class At : std::uint8_t { begin, alter, object, name, value, elsewhere };

    At next(PgQuery__Token token) const {
        if (token == PG_QUERY__TOKEN__ASCII_59) return At::begin;
        switch (at_) {
            case At::begin: return token == PG_QUERY__TOKEN__ALTER ? At::alter : At::elsewhere;
            case At::alter: return is_settable(token) ? At::object : At::elsewhere;
            case At::object: return token == PG_QUERY__TOKEN__SET ? At::name : At::object;
            case At::name:
                return token == PG_QUERY__TOKEN__TO || token == PG_QUERY__TOKEN__ASCII_61 ? At::value : At::name;
            case At::value:
            case At::elsewhere: return at_;
        }
        return at_;
    }

    static bool is_settable(PgQuery__Token token) {
        return token == PG_QUERY__TOKEN__ROLE || token == PG_QUERY__TOKEN__USER || token == PG_QUERY__TOKEN__DATABASE;
    }

    At at_ = At::begin;
};

// libpg_query has a wrong end for U&'...' and U&"...". Only blanks are between a token and the one behind it.
std::size_t end_of(const std::string& text, const PgQuery__ScanResult& tokens, std::size_t i) {
    const PgQuery__ScanToken& token = *tokens.tokens[i];
    const bool has_wrong_end = token.token == PG_QUERY__TOKEN__USCONST || token.token == PG_QUERY__TOKEN__UIDENT;
    if (!has_wrong_end) return std::min(static_cast<std::size_t>(token.end), text.size());
    const bool is_last = i + 1 == tokens.n_tokens;
    const std::size_t next = is_last ? text.size() : static_cast<std::size_t>(tokens.tokens[i + 1]->start);
    return text.find_last_not_of(" \t\n\r\f\v", next - 1) + 1;
}

}  // namespace

std::string normalized(const std::string& text, const PgQuery__ScanResult& tokens, std::uint32_t parameters) {
    std::string out;
    out.reserve(text.size());
    std::size_t last_end = 0;
    bool was_constant = false;
    SettingValues settings;
    for (std::size_t i = 0; i < tokens.n_tokens; ++i) {
        const PgQuery__ScanToken& token = *tokens.tokens[i];
        if (is_comment(token.token)) continue;
        const bool is_set = settings.take(token.token);
        const auto begin = static_cast<std::size_t>(token.start);
        const std::size_t end = end_of(text, tokens, i);
        if (begin >= end) continue;
        const bool constant = is_set || is_constant(token.token);
        // A constant may touch a word ('x'and, select'x'), its $n may not.
        const bool runs_on = !out.empty() && ((was_constant && goes_on_in_word(text[begin])) ||
                                              (constant && goes_on_in_word(out.back())));
        if (!out.empty() && (begin > last_end || runs_on)) out += ' ';
        if (constant) {
            out += '$' + std::to_string(++parameters);
        } else {
            out.append(text, begin, end - begin);
        }
        last_end = end;
        was_constant = constant;
    }
    return out;
}

}  // namespace pgsluice::sql
