// A text with gaps in the place of the values that its pattern key leaves out. What fits it has the same key, and is
// known to without being cut into tokens: all that the lexer looks at outside of the gaps is the same, and what fills
// a gap begins and ends as what was there.
//
// Only plain values fill gaps: integers of up to nine digits, and strings '...' without a quote inside, or a backslash
// that might be an escape. Others are what the pattern key is for.
#pragma once

#include "lexer.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pgsluice::sql {

class Stencil {
  public:
    // `left_out`: the tokens of `text` whose values its pattern key leaves out, in their order. None where one of them
    // is not plain, where there is none, or where the text is too long to be worth it.
    static std::optional<Stencil> made_of(ByteView text, Reading how, const std::vector<Token>& left_out);

    bool fits(ByteView text, Reading how) const;

    std::size_t heap_bytes() const { return fixed_.capacity() + gaps_.capacity() * sizeof(Gap); }

  private:
    struct Gap {
        std::uint32_t fixed_before;  // bytes, from the gap before it
        TokenKind kind;
    };

    std::string fixed_;  // what is not in gaps, without a mark of where they are
    std::vector<Gap> gaps_;
    Reading how_;
};

// Where the first value of a text is likely to begin: it is the same for texts that fit the same stencil. npos where
// there is none.
std::size_t first_value(ByteView text);

}  // namespace pgsluice::sql
