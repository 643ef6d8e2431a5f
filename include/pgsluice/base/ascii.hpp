// Text that has the same bytes in every encoding that PostgreSQL knows.
#pragma once

#include <algorithm>
#include <string_view>

namespace pgsluice {

constexpr bool is_beyond_ascii(char c) {
    return static_cast<signed char>(c) < 0;
}
inline bool is_ascii(std::string_view text) {
    return std::none_of(text.begin(), text.end(), is_beyond_ascii);
}

}  // namespace pgsluice
