// Text from outside made safe for one line of a log: control characters, DEL and invalid UTF-8 become \xNN, backslash
// is doubled, and what passes the limit is cut with "...". Everything that a peer sent goes through here before it is
// logged.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pgsluice {

std::string escaped(std::string_view text, std::size_t limit_bytes = 1024);

// Length of the valid UTF-8 sequence at the start of `text`, or 0 where there is none.
std::size_t utf8_sequence_length(std::string_view text);

}  // namespace pgsluice
