// What a rule makes of a statement's text: by a regular expression first, then on the tree.
#pragma once

#include <pgsluice/config/config.hpp>
#include <pgsluice/sql/rewrite.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace re2 {
class RE2;
}

namespace pgsluice::policy {

class Rewrite {
  public:
    struct Error {
        std::string key;  // below `rewrite`
        std::string text;
    };
    static std::variant<Rewrite, Error> compile(const config::PolicyRewrite& rewrite);

    Rewrite(Rewrite&&) noexcept;
    Rewrite& operator=(Rewrite&&) noexcept;
    ~Rewrite();

    bool is_beyond_ascii() const;
    // Unparsable where the tree is to be edited and there is none.
    std::variant<std::string, sql::Unparsable> apply(std::string_view text, sql::Reading reading) const;

  private:
    Rewrite();

    std::unique_ptr<re2::RE2> pattern_;  // nullptr: none
    std::string replacement_;
    sql::Edits edits_;
};

}  // namespace pgsluice::policy
