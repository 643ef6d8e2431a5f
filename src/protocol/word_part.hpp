// Bytes of which PostgreSQL's identifiers and key words are made (src/backend/parser/scan.l, ident_cont).
#pragma once

#include <pgsluice/base/ascii.hpp>
#include <pgsluice/base/lower_case.hpp>

namespace pgsluice::protocol {

inline bool is_word_part(char c) {
    const char lower = lower_case(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || is_beyond_ascii(c);
}

}  // namespace pgsluice::protocol
