// The key under which texts share their facts: the tokens of a text, with a mark of its kind in the place of each
// constant. Texts that differ in comments, spaces and the values of constants have the same key; texts of different
// tokens never have.
//
// The values are left out only where no fact depends on them: in the statements that PostgreSQL plans and the few
// others in statements_without_values (pattern_key.cpp), for a constant of an expression is one node of the parse tree,
// and neither the kinds, names and clauses nor libpg_query's fingerprint look into it. A constant that cannot be left
// out stands for itself:
//   - of other statements every one, since the grammar may take its value: FETCH 10 and FETCH 20, NOTIFY, the
//     options of EXPLAIN and COPY have fingerprints of their own;
//   - behind U&"...", since UESCAPE spells the name;
//   - in float(n), which is a name for one of two types, and in the bounds of an array's type.
// A string with an escape that the server refuses has the same key as others: that text is never run.
#pragma once

#include "lexer.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace pgsluice::sql {

class PatternKey {
  public:
    // False for a text that has none, since PostgreSQL's lexer or grammar refuses it or it has a NUL inside. Allocates
    // only for a text that is longer than all before it.
    bool build(ByteView text, Reading how);

    // Of the text that was built last; good until the next.
    ByteView bytes() const { return {bytes_.get(), size_}; }
    // Whether the value of a constant is in it: there may be no end of such keys.
    bool has_values() const { return has_values_; }
    // The constants whose values it leaves out, of the text that it was built of; good as long as that text. None where
    // there are more than most_listed.
    static constexpr std::size_t most_listed = 32;
    const std::vector<Token>& left_out() const { return left_out_; }

    std::size_t memory() const { return capacity_ + left_out_.capacity() * sizeof(Token); }
    void release();

  private:
    std::unique_ptr<char[]> bytes_;
    std::size_t size_ = 0, capacity_ = 0;
    bool has_values_ = false;
    std::vector<Token> left_out_;
};

}  // namespace pgsluice::sql
