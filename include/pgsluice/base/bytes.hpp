// Views of octets. The protocol is text with binary headers, so bytes are viewed as string_view throughout: a ByteView
// owns nothing, may hold any octet including NUL, and dies with the buffer that it points into.
#pragma once

#include <string>
#include <string_view>

namespace pgsluice {

using ByteView = std::string_view;
using Bytes = std::string;  // owned octets

}  // namespace pgsluice
