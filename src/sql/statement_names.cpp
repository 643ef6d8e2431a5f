#include "lexer.hpp"
#include "words.hpp"

#include <pgsluice/base/lower_case.hpp>
#include <pgsluice/sql/statement_names.hpp>

#include <algorithm>
#include <unordered_set>

namespace pgsluice::sql {
namespace {

bool contains(ByteView text, ByteView word) {
    const auto same = [](char a, char b) { return lower_case(a) == b; };
    return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
}

// One statement, though semicolons may stand behind it.
bool is_single(ByteView text) {
    const std::size_t end = text.find(';');
    return end == ByteView::npos || is_end(text.substr(end));
}

bool introduces_name(const Token& token) {
    if (token.kind != TokenKind::word) return false;
    return lower_case(token.text) == "execute" || lower_case(token.text) == "prepare";
}

// nullopt where the token is no name.
std::optional<std::string> name_of(const Token& token) {
    if (token.kind == TokenKind::word) return lower_case(token.text);
    const bool is_unicode = token.kind == TokenKind::unicode_identifier;
    if (token.kind != TokenKind::quoted_identifier && !is_unicode) return std::nullopt;
    if (is_unicode && token.text.find('\\') != ByteView::npos) return std::nullopt;
    ByteView quoted = token.text.substr(token.text.find('"'));
    return take_quoted(quoted);
}

// A constant without its quotes, whatever those are. Quotes that are doubled in it stay so.
ByteView inside(ByteView constant) {
    const std::size_t begin = constant.find_first_of("'$");
    if (constant[begin] == '\'') return constant.substr(begin + 1, constant.size() - begin - 2);
    const std::size_t size = constant.find('$', begin + 1) + 1;  // of the quote
    return constant.substr(size, constant.size() - 2 * size);
}

class NamedStatements {
  public:
    explicit NamedStatements(Reading how) : how_(how) {}

    void look_in(ByteView text, int depth) {
        Lexer lexer(text, how_);
        bool is_name_next = false;
        for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
            if (token.kind == TokenKind::refused) return;
            if (is_name_next) {
                if (auto name = name_of(token); name && known_.insert(*name).second) names_.push_back(std::move(*name));
            }
            is_name_next = introduces_name(token);
            if (token.kind == TokenKind::string && depth < deepest) look_in(inside(token.text), depth + 1);
        }
    }
    std::vector<std::string> take() { return std::move(names_); }

  private:
    static constexpr int deepest = 3;  // a constant in an EXECUTE of PL/pgSQL in a DO

    const Reading how_;
    std::unordered_set<std::string> known_;
    std::vector<std::string> names_;
};

}  // namespace

bool is_prepare(ByteView text) {
    if (!is_single(text)) return false;
    skip_blanks(text);
    return take_word(text, "prepare");
}

bool names_statement(ByteView text) {
    skip_blanks(text);
    if (text.empty()) return false;
    const bool is_alone = is_single(text);
    // This is asked for every statement: most are told by one letter.
    if (is_alone && ByteView("cepCEP").find(text.front()) == ByteView::npos) return false;
    return (contains(text, "execute") || contains(text, "prepare")) && (is_alone || !contains(text, "stdin"));
}

std::vector<std::string> named_statements(ByteView text, Reading how) {
    NamedStatements found(how);
    found.look_in(text, 0);
    return found.take();
}

}  // namespace pgsluice::sql
