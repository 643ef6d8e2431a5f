#include "words.hpp"

#include <pgsluice/base/lower_case.hpp>
#include <pgsluice/sql/transaction_control.hpp>

#include <initializer_list>

namespace pgsluice::sql {
namespace {

// Words with blanks between them and behind the last, or none of them.
bool take(ByteView& text, std::initializer_list<ByteView> words) {
    ByteView behind = text;
    for (const ByteView word : words) {
        if (!take_word(behind, word)) return false;
        skip_blanks(behind);
    }
    text = behind;
    return true;
}

bool take_isolation_level(ByteView& text) {
    if (!take(text, {"isolation", "level"})) return false;
    return take(text, {"read", "committed"}) || take(text, {"read", "uncommitted"}) ||
           take(text, {"repeatable", "read"}) || take(text, {"serializable"});
}

bool take_mode(ByteView& text) {
    return take(text, {"read", "only"}) || take(text, {"read", "write"}) || take(text, {"deferrable"}) ||
           take(text, {"not", "deferrable"}) || take_isolation_level(text);
}

// transaction_mode_list_or_empty in PostgreSQL's grammar (gram.y), and the end of the text.
bool is_modes(ByteView text) {
    if (is_end(text)) return true;
    while (take_mode(text)) {
        if (is_end(text)) return true;
        if (text.front() != ',') continue;
        text.remove_prefix(1);
        skip_blanks(text);
    }
    return false;
}

// WORK or TRANSACTION, which say nothing, may stand behind the first word.
ByteView without_noise(ByteView text) {
    if (!take(text, {"transaction"})) take(text, {"work"});
    return text;
}

TransactionControl if_true(bool is, TransactionControl control) {
    return is ? control : TransactionControl::none;
}

constexpr int both(char first, char second) {
    return static_cast<unsigned char>(first) << 8 | static_cast<unsigned char>(second);
}

}  // namespace

TransactionControl transaction_control(ByteView text) {
    using enum TransactionControl;
    skip_blanks(text);
    if (text.size() < 2) return none;
    // Every other statement is told by two letters: this is asked for each.
    switch (both(lower_case(text[0]), lower_case(text[1]))) {
        case both('b', 'e'): return if_true(take(text, {"begin"}) && is_modes(without_noise(text)), begin);
        case both('s', 't'): return if_true(take(text, {"start", "transaction"}) && is_modes(text), start_transaction);
        case both('c', 'o'): return if_true(take(text, {"commit"}) && is_end(without_noise(text)), commit);
        case both('e', 'n'): return if_true(take(text, {"end"}) && is_end(without_noise(text)), commit);
        case both('r', 'o'): return if_true(take(text, {"rollback"}) && is_end(without_noise(text)), rollback);
        case both('a', 'b'): return if_true(take(text, {"abort"}) && is_end(without_noise(text)), rollback);
        default: return none;
    }
}

ByteView first_way_out(ByteView text) {
    const std::size_t end = text.find(';');
    if (end == ByteView::npos || is_end(text.substr(end))) return {};
    const ByteView first = text.substr(0, end);
    ByteView behind = first;
    skip_blanks(behind);
    const bool is_known = take_word(behind, "commit") || take_word(behind, "end") || take_word(behind, "rollback") ||
                          take_word(behind, "abort");
    if (!is_known) return {};
    // In quotes or a comment a semicolon ends nothing.
    for (skip_blanks(behind); !behind.empty(); skip_blanks(behind)) {
        if (take_word(behind).empty()) return {};
    }
    return first;
}

}  // namespace pgsluice::sql
