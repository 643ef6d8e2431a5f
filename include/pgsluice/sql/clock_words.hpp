// Words of the clock inside of constants: 'now', 'today', 'tomorrow', 'yesterday'. PostgreSQL reads a constant when it
// parses the text, so what such a text means depends on when that was.
#pragma once

#include <pgsluice/base/bytes.hpp>

namespace pgsluice::sql {

// False: no constant of the text holds one of them. Doubtful texts (escapes, strings that go on in another line, what
// no lexer accepts) count as if they did; what type the constant has, and so whether it is a word at all, is not asked.
bool may_read_clock(ByteView text);

}  // namespace pgsluice::sql
