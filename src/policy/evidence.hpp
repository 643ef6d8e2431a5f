// What rules look at in one statement. Each part is worked out when a rule first asks for it and kept for the rules
// behind, so a statement pays for what its rules read and no more.
#pragma once

#include "screen.hpp"
#include "search_path.hpp"

#include <pgsluice/policy/statement.hpp>
#include <pgsluice/sql/comment_tags.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::policy {

class Evidence {
  public:
    // Views; lives for one judgement.
    Evidence(const Statement& statement, const Screen& screen)
        : text_(statement.text), statement_(statement), screen_(&screen) {}

    // The text as UTF-8. A byte that is not part of a valid sequence stands there as U+FFFD, one character: in a
    // single-byte encoding such bytes are ordinary letters to the server, and they must not hide what is around them.
    std::string_view readable_text();
    // False only where no rule's pattern matches.
    bool may_match_a_pattern();
    // nullptr where the text cannot be parsed.
    const sql::Facts* facts() const { return statement_.facts == nullptr ? nullptr : statement_.facts->get(); }
    const SearchPath& search_path();
    const std::vector<sql::CommentTag>& tags();
    // nullopt where it is not known.
    std::optional<bool> in_transaction() const;

  private:
    std::string_view text_;
    const Statement& statement_;
    const Screen* screen_;
    std::optional<bool> may_match_a_pattern_;
    std::optional<std::string_view> readable_;
    std::string repaired_;
    std::optional<SearchPath> search_path_;
    std::optional<std::vector<sql::CommentTag>> tags_;
};

}  // namespace pgsluice::policy
