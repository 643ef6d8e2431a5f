// Views of octets. The protocol is text with binary headers, so bytes are viewed as string_view throughout: a ByteView
// owns nothing, may hold any octet including NUL, and dies with the buffer that it points into.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace pgsluice {

using ByteView = std::string_view;
using Bytes = std::string;  // owned octets

// substr() checks and throws, out of line; these stand on the relay path.
inline ByteView prefix(ByteView bytes, std::size_t at_most) {
    return {bytes.data(), std::min(bytes.size(), at_most)};
}
// `count` is at most the size.
inline ByteView without_prefix(ByteView bytes, std::size_t count) {
    bytes.remove_prefix(count);
    return bytes;
}

}  // namespace pgsluice
