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

// What a setting is set to may be written without quotes: words there are constants to PostgreSQL. Those of a plain SET
// stay, unless its name has a dot: such settings are the clients' own, and hold what they like.
class SettingValues {
  public:
    // Of the tokens of a text in their order. True: it is a value, or part of one.
    bool take(PgQuery__Token token, bool is_quoted) {
        if (token == PG_QUERY__TOKEN__ASCII_59) {
            at_ = At::begin;
            return false;
        }
        if (at_ == At::behind) {
            if (token == PG_QUERY__TOKEN__ASCII_44) at_ = At::value;
            if (token == PG_QUERY__TOKEN__ASCII_44 || !is_routine_) return token != PG_QUERY__TOKEN__ASCII_44;
            at_ = At::object;  // a routine has more behind it
        }
        if (at_ != At::value) {
            at_ = next(token, is_quoted);
            return false;
        }
        if (token == PG_QUERY__TOKEN__ASCII_43 || token == PG_QUERY__TOKEN__ASCII_45) return false;
        at_ = At::behind;
        return token != PG_QUERY__TOKEN__DEFAULT;
    }

  private:
    enum class At : std::uint8_t { begin, create, alter, object, name, own_name, value, behind, elsewhere };

    At next(PgQuery__Token token, bool is_quoted) {
        const bool is_assignment = token == PG_QUERY__TOKEN__TO || token == PG_QUERY__TOKEN__ASCII_61;
        switch (at_) {
            case At::begin: return first(token);
            case At::create:
                if (token == PG_QUERY__TOKEN__OR || token == PG_QUERY__TOKEN__REPLACE) return At::create;
                is_routine_ = names_routine(token);
                return is_routine_ ? At::object : At::elsewhere;
            case At::alter:
                is_routine_ = names_routine(token);
                return is_routine_ || is_settable(token) ? At::object : At::elsewhere;
            case At::object:
                if (token == PG_QUERY__TOKEN__ATOMIC) return At::elsewhere;  // an UPDATE has a SET, too
                return token == PG_QUERY__TOKEN__SET ? At::name : At::object;
            case At::name:
                if (token == PG_QUERY__TOKEN__FROM) return At::object;  // FROM CURRENT
                return is_assignment ? At::value : At::name;
            case At::own_name:
                if (is_assignment) return has_dot_ ? At::value : At::elsewhere;
                // "a.b" in quotes is one token.
                has_dot_ = has_dot_ || is_quoted || token == PG_QUERY__TOKEN__ASCII_46;
                return At::own_name;
            case At::value:
            case At::behind:
            case At::elsewhere: return at_;
        }
        return at_;
    }

    At first(PgQuery__Token token) {
        is_routine_ = has_dot_ = false;
        switch (token) {
            case PG_QUERY__TOKEN__CREATE: return At::create;
            case PG_QUERY__TOKEN__ALTER: return At::alter;
            case PG_QUERY__TOKEN__SET: return At::own_name;
            default: return At::elsewhere;
        }
    }

    static bool names_routine(PgQuery__Token token) {
        return token == PG_QUERY__TOKEN__FUNCTION || token == PG_QUERY__TOKEN__PROCEDURE ||
               token == PG_QUERY__TOKEN__ROUTINE;
    }

    static bool is_settable(PgQuery__Token token) {
        return token == PG_QUERY__TOKEN__ROLE || token == PG_QUERY__TOKEN__USER || token == PG_QUERY__TOKEN__DATABASE ||
               token == PG_QUERY__TOKEN__SYSTEM_P;
    }

    At at_ = At::begin;
    bool is_routine_ = false;  // what stands behind CREATE or ALTER
    bool has_dot_ = false;     // the name behind SET
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
        const auto begin = static_cast<std::size_t>(token.start);
        const bool is_quoted = token.token == PG_QUERY__TOKEN__UIDENT || (begin < text.size() && text[begin] == '"');
        const bool is_set = settings.take(token.token, is_quoted);
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
