// What rules look at in one statement. Each fact is worked out when a rule first asks for it and kept for the rules
// behind, so a statement pays for what its rules read and no more. Facts from a parse of the SQL belong here too.
#pragma once

#include "screen.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace pgsluice::policy {

class Facts {
  public:
    // A view; lives for one judgement.
    Facts(std::string_view text, const Screen& screen) : text_(text), screen_(&screen) {}

    // The text as UTF-8. A byte that is not part of a valid sequence stands there as U+FFFD, one character: in a
    // single-byte encoding such bytes are ordinary letters to the server, and they must not hide what is around them.
    std::string_view readable_text();
    // False only where no rule's pattern matches.
    bool may_match_a_pattern();

  private:
    std::string_view text_;
    const Screen* screen_;
    std::optional<bool> may_match_a_pattern_;
    std::optional<std::string_view> readable_;
    std::string repaired_;
};

}  // namespace pgsluice::policy
