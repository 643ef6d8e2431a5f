// All patterns of an engine searched at once, in one pass over the text: most statements match none, and learn so for
// the price of one pattern instead of twenty. It never decides: where it cannot tell, it says "perhaps".
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::policy {

class Screen {
  public:
    Screen();  // lets everything through
    // The patterns compile on their own. One alone is its own screen, so this one lets everything through too.
    explicit Screen(const std::vector<std::string>& patterns);
    Screen(Screen&&) noexcept;
    Screen& operator=(Screen&&) noexcept;
    ~Screen();

    // False only where no pattern matches. `text` is valid UTF-8.
    bool may_match(std::string_view text) const;

  private:
    struct Set;
    std::unique_ptr<const Set> set_;
};

}  // namespace pgsluice::policy
