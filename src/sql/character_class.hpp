// Classes of characters, as PostgreSQL's lexer has them (src/backend/parser/scan.l, version 15). A byte with its high
// bit set is part of a letter, whatever the encoding.
#pragma once

#include <array>
#include <cstdint>

namespace pgsluice::sql {

enum CharacterClass : std::uint8_t {
    space = 1,   // also between words: " \t\n\r\f", and not "\v"
    letter = 2,  // begins an identifier
    digit = 4,
    dollar = 8,  // goes on in an identifier and begins none
    operator_part = 16,
    stands_alone = 32,  // a token by itself, if no longer one begins there
    line_end = 64,      // of comments, and what lets a string go on behind it
    word_part = letter | digit | dollar,
};

constexpr std::array<std::uint8_t, 256> character_classes = [] {
    std::array<std::uint8_t, 256> classes{};
    const auto mark = [&](const char* characters, std::uint8_t as) {
        for (; *characters != 0; ++characters) classes[static_cast<unsigned char>(*characters)] |= as;
    };
    for (unsigned c = 128; c < 256; ++c) classes[c] = letter;
    mark("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_", letter);
    mark("0123456789", digit);
    mark("$", dollar);
    mark(" \t\n\r\f", space);
    mark("\n\r", line_end);
    mark("~!@#^&|`?+-*/%<>=", operator_part);
    mark(",()[].;:+-*/%^<>=", stands_alone);
    return classes;
}();

// Whether the character is of one of the classes.
constexpr bool is_of(char c, unsigned classes) {
    return (character_classes[static_cast<unsigned char>(c)] & classes) != 0;
}

}  // namespace pgsluice::sql
