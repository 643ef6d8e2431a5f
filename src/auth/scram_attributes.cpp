#include "scram_attributes.hpp"

#include <algorithm>

namespace pgsluice::auth {

std::string shown(char c) {
    constexpr char digits[] = "0123456789abcdef";
    if (c >= 0x21 && c <= 0x7E) return std::string{'\'', c, '\''};
    const auto octet = static_cast<unsigned char>(c);
    return std::string("0x") + digits[octet >> 4] + digits[octet & 15];
}

bool is_scram_printable(ByteView text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x21 && c <= 0x7E && c != ','; });
}

std::optional<ByteView> ScramAttributes::value(char attribute) {
    if (peek() != attribute) {
        problem_ = std::string("Expected attribute \"") + attribute + "\" but found \"" + shown(peek()) + "\".";
        return std::nullopt;
    }
    skip();
    if (peek() != '=') {
        problem_ = std::string("Expected character \"=\" for attribute \"") + attribute + "\".";
        return std::nullopt;
    }
    skip();
    return up_to_comma();
}

std::optional<ScramAttributes::Any> ScramAttributes::any() {
    const char attribute = peek();
    if (at_end()) {
        problem_ = "Attribute expected, but found end of string.";
        return std::nullopt;
    }
    if (!((attribute >= 'A' && attribute <= 'Z') || (attribute >= 'a' && attribute <= 'z'))) {
        problem_ = "Attribute expected, but found invalid character \"" + shown(attribute) + "\".";
        return std::nullopt;
    }
    const auto found = value(attribute);
    if (!found) return std::nullopt;
    return Any{attribute, *found};
}

// The comma is consumed and not part of the result.
ByteView ScramAttributes::up_to_comma() {
    const auto end = std::min(rest_.find(','), rest_.size());
    const ByteView text = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return text;
}

}  // namespace pgsluice::auth
