// Cuts a SCRAM message into its attributes: single letters with values, separated by commas (RFC 5802 section 7). What
// is wrong with a message is kept in the words of read_attr_value and read_any_attr in PostgreSQL's auth-scram.c.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <optional>
#include <string>

namespace pgsluice::auth {

class ScramAttributes {
  public:
    explicit ScramAttributes(ByteView message) : rest_(message) {}

    // The next character; NUL at the end.
    char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
    void skip() { rest_.remove_prefix(1); }
    ByteView rest() const { return rest_; }
    bool at_end() const { return rest_.empty(); }

    // The value of the attribute that must come next. nullopt: `problem` says what is there instead.
    std::optional<ByteView> value(char attribute);
    struct Any {
        char attribute;
        ByteView value;
    };
    std::optional<Any> any();

    const std::string& problem() const { return problem_; }

  private:
    ByteView up_to_comma();

    ByteView rest_;
    std::string problem_;
};

// A byte of a stranger as it may stand in an error: 'x', or 0x1b.
std::string shown(char c);

bool is_scram_printable(ByteView text);

}  // namespace pgsluice::auth
