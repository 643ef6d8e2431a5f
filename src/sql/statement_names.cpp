#include "words.hpp"

#include <pgsluice/base/lower_case.hpp>
#include <pgsluice/sql/statement_names.hpp>

#include <algorithm>

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

}  // namespace pgsluice::sql
