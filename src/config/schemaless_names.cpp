#include <pgsluice/base/escape.hpp>
#include <pgsluice/base/lower_case.hpp>
#include <pgsluice/config/schemaless_names.hpp>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace pgsluice::config {
namespace {

struct Token {
    enum class Kind : unsigned char { none, word, quoted, parameter, symbol } kind = Kind::none;
    std::string text;  // a word in lower case, a quoted name without its quotes

    bool is(std::string_view what) const { return kind != Kind::quoted && text == what; }
    bool is_name() const { return kind == Kind::word || kind == Kind::quoted; }
};

bool is_in_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
           static_cast<unsigned char>(c) >= 0x80;
}

// The end of what is in quotes that count twice inside; backslashes are for strings that E stands before.
std::size_t end_of_quoted(std::string_view sql, std::size_t at, bool has_escapes) {
    const char quote = sql[at];
    for (++at; at < sql.size(); ++at) {
        if (has_escapes && sql[at] == '\\') {
            ++at;
        } else if (sql[at] == quote) {
            if (at + 1 >= sql.size() || sql[at + 1] != quote) return at + 1;
            ++at;
        }
    }
    return sql.size();
}

std::size_t end_of_comment(std::string_view sql, std::size_t at) {
    int depth = 0;
    for (; at < sql.size(); ++at) {
        const std::string_view two = sql.substr(at, 2);
        if (two == "/*") ++depth, ++at;
        if (two == "*/" && (++at, --depth) == 0) return at + 1;
    }
    return sql.size();
}

std::size_t end_of_word(std::string_view sql, std::size_t at) {
    return static_cast<std::size_t>(
        std::find_if_not(sql.begin() + static_cast<std::ptrdiff_t>(at), sql.end(), is_in_word) - sql.begin());
}

std::string without_doubles(std::string_view quoted) {
    std::string out;
    for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
        out += quoted[i];
        if (quoted[i] == '"') ++i;
    }
    return out;
}

// Constants are symbols here, and comments nothing.
std::vector<Token> tokens_of(std::string_view sql) {
    using enum Token::Kind;
    std::vector<Token> out;
    std::size_t at = 0;
    while (at < sql.size()) {
        const char c = sql[at];
        std::size_t end = at + 1;
        if (sql.substr(at, 2) == "--") {
            end = std::min(sql.find('\n', at), sql.size());
        } else if (sql.substr(at, 2) == "/*") {
            end = end_of_comment(sql, at);
        } else if (c == '\'') {
            const bool has_escapes = at > 0 && lower_case(sql[at - 1]) == 'e' && !out.empty() && out.back().is("e");
            end = end_of_quoted(sql, at, has_escapes);
            out.push_back({symbol, "''"});
        } else if (c == '"') {
            end = end_of_quoted(sql, at, false);
            out.push_back({quoted, without_doubles(sql.substr(at, end - at))});
        } else if (is_in_word(c)) {
            end = end_of_word(sql, at);
            const bool is_number = c >= '0' && c <= '9';
            out.push_back({c == '$' ? parameter : is_number ? symbol : word, lower_case(sql.substr(at, end - at))});
        } else if (std::string_view(" \t\r\n\v\f").find(c) == std::string_view::npos) {
            out.push_back({symbol, std::string(1, c)});
        }
        at = end;
    }
    return out;
}

template <std::size_t size>
bool is_one_of(const Token& token, const std::array<std::string_view, size>& words) {
    return token.kind == Token::Kind::word && std::find(words.begin(), words.end(), token.text) != words.end();
}

constexpr std::array<std::string_view, 12> behind_from{"where",     "group", "order",  "having", "limit",  "union",
                                                       "intersect", "fetch", "except", "window", "offset", "for"};
constexpr std::array<std::string_view, 3> before_table{"only", "lateral", "rows"};
// Of PostgreSQL's own: what returns rows, and what takes a name as text.
constexpr std::array<std::string_view, 6> own_prefixes{"pg_", "json_", "jsonb_", "regexp_", "generate_", "xml"};
constexpr std::array<std::string_view, 28> own_functions{
    "unnest",   "aclexplode", "string_to_table", "values", "coalesce", "cast",        "nullif",
    "greatest", "least",      "lower",           "upper",  "trim",     "btrim",       "ltrim",
    "rtrim",    "md5",        "concat",          "format", "text",     "quote_ident", "quote_literal",
    "row",      "initcap",    "substring",       "substr", "replace",  "left",        "right"};

bool is_own(const Token& name) {
    return is_one_of(name, own_functions) ||
           std::any_of(own_prefixes.begin(), own_prefixes.end(),
                       [&](std::string_view prefix) { return name.text.starts_with(prefix); });
}

class Names {
  public:
    explicit Names(std::string_view sql) : tokens_(tokens_of(sql)) {}

    std::vector<std::string> find() {
        for (at_ = 0; at_ < tokens_.size(); ++at_) take(tokens_[at_]);
        std::erase_if(found_, [&](const std::string& name) { return queries_.contains(name); });
        return std::move(found_);
    }

  private:
    // What is known between two parentheses.
    struct Level {
        bool is_query = false, is_in_from = false, wants_table = false;
        bool is_in_with = false, wants_query = false;
    };

    const Token& behind(std::size_t steps) const {
        static const Token none;
        return at_ + steps < tokens_.size() ? tokens_[at_ + steps] : none;
    }
    bool is_behind(std::string_view word) const { return at_ > 0 && tokens_[at_ - 1].is(word); }

    void take(const Token& token) {
        Level& level = levels_.back();
        if (token.is("(")) {
            const bool is_joined = std::exchange(level.wants_table, false);
            levels_.push_back({false, is_joined, is_joined, false, false});
        } else if (token.is(")")) {
            if (levels_.size() > 1) levels_.pop_back();
        } else if (token.is(",")) {
            level.wants_table = level.is_in_from;
            level.wants_query = level.is_in_with;
        } else if (token.is("with") && !level.is_query) {
            level = {true, false, false, true, true};
        } else if (token.is("select") || token.is("values")) {
            level = {true, false, false, false, false};
        } else if (token.is("from") && (level.is_query || is_behind("rows")) && !is_behind("distinct")) {
            // Otherwise it is that of extract(a FROM b).
            level.is_in_from = level.wants_table = true;
        } else if (token.is("join")) {
            level.wants_table = true;
        } else if (is_one_of(token, behind_from)) {
            level.is_in_from = level.wants_table = false;
        } else if (token.is_name()) {
            name(token, level);
        }
    }

    void name(const Token& token, Level& level) {
        if (level.wants_query && !token.is("recursive")) {
            queries_.insert(token.text);
            level.wants_query = false;
        } else if (level.wants_table && !is_one_of(token, before_table)) {
            level.wants_table = false;
            if (!behind(1).is(".")) add(token);
        } else if (behind(1).is("(") && behind(2).is("$1") &&
                   (is_behind("select") || is_behind(",") || is_behind("("))) {
            add(token);
        }
    }

    void add(const Token& token) {
        if (is_own(token) || std::find(found_.begin(), found_.end(), token.text) != found_.end()) return;
        found_.push_back(token.text);
    }

    const std::vector<Token> tokens_;
    std::size_t at_ = 0;
    std::vector<Level> levels_{{}};
    std::set<std::string> queries_;  // of WITH
    std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> schemaless_names(std::string_view sql) {
    return Names(sql).find();
}

std::string schemaless_advice(std::string_view sql) {
    const auto names = schemaless_names(sql);
    if (names.empty()) return {};
    const std::string name = escaped(names[0], 100);
    return "finds no " + name +
           " outside of pg_catalog, which is all of its search_path, so that nobody is found: name its schema, as in "
           "public." +
           name;
}

}  // namespace pgsluice::config
