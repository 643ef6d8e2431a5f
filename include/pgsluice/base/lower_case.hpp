// ASCII letters in lower case, whatever the locale: how PostgreSQL folds names of settings and keywords.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <string>

namespace pgsluice {

constexpr char lower_case(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

inline std::string lower_case(ByteView text) {
    std::string lower(text);
    for (char& c : lower) c = lower_case(c);
    return lower;
}

}  // namespace pgsluice
