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

}  // namespace

bool names_statement(ByteView text) {
    skip_blanks(text);
    if (text.empty()) return false;
    const std::size_t end = text.find(';');
    const bool is_single = end == ByteView::npos || is_end(text.substr(end));
    // This is asked for every statement: most are told by one letter.
    if (is_single && ByteView("cepCEP").find(text.front()) == ByteView::npos) return false;
    return (contains(text, "execute") || contains(text, "prepare")) && (is_single || !contains(text, "stdin"));
}

}  // namespace pgsluice::sql
