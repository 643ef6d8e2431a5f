// A text pattern of a rule: RE2, searched anywhere in the text, so its time is linear in the text whoever wrote it.
// Text and pattern are UTF-8, case counts, and "." takes a newline too: to PostgreSQL a line break is a blank like any
// other, and a pattern must not be evaded with it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace re2 {
class RE2;
}

namespace pgsluice::policy {

class Pattern {
  public:
    Pattern(Pattern&&) noexcept;
    Pattern& operator=(Pattern&&) noexcept;
    ~Pattern();

    // The pattern, or what RE2 finds wrong with it.
    static std::variant<Pattern, std::string> compile(std::string_view text);

    // `text` is valid UTF-8: RE2 would let nothing match across a stray byte.
    bool found_in(std::string_view text) const;

  private:
    explicit Pattern(std::unique_ptr<re2::RE2> program);
    std::unique_ptr<re2::RE2> program_;
};

}  // namespace pgsluice::policy
