// What the strings of a text say, for whoever looks for words in it. A superset: where only the server knows whether a
// backslash is an escape, it is taken for one.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <optional>
#include <string>

namespace pgsluice::sql {

// The text with what each backslash escape stands for in its place, and strings that go on in another line joined;
// characters beyond ASCII become '?'. nullopt: it has neither, and says what it says.
std::optional<std::string> spelled_out(ByteView text);

}  // namespace pgsluice::sql
