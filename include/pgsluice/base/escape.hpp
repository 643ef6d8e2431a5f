// Text from outside made safe for one line of a log: control characters (see control_at) and invalid UTF-8 become \xNN,
// backslash is doubled, and what passes the limit is cut with "...". Everything that a peer sent goes through here
// before it is logged.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pgsluice {

std::string escaped(std::string_view text, std::size_t limit_bytes = 1024);

// The same without a limit and with backslashes as they are: for text of our own in which names from elsewhere stand,
// some of them escaped.
std::string in_one_line(std::string_view text);

// Length of the valid UTF-8 sequence at the start of `text`, or 0 where there is none.
std::size_t utf8_sequence_length(std::string_view text);
bool is_utf8(std::string_view text);

// The code point at the start of `text` where terminals, editors or readers of lines act on it: C0, DEL, C1 (U+0080 to
// U+009F), the separators of lines and paragraphs (U+2028, U+2029), and what turns the direction of the text around it.
std::optional<char32_t> control_at(std::string_view text);

}  // namespace pgsluice
