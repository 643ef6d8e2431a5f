#include "crypto.hpp"

#include <cstdint>

namespace pgsluice::auth {
namespace {

constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::optional<std::uint32_t> value_of(char c) {
    if (c >= 'A' && c <= 'Z') return static_cast<std::uint32_t>(c - 'A');
    if (c >= 'a' && c <= 'z') return static_cast<std::uint32_t>(c - 'a' + 26);
    if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0' + 52);
    if (c == '+') return 62U;
    if (c == '/') return 63U;
    return std::nullopt;
}

}  // namespace

Bytes base64(ByteView bytes) {
    Bytes text;
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const ByteView group = bytes.substr(at, 3);
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 3; ++i)
            bits = bits << 8 | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0);
        for (std::size_t i = 0; i < 4; ++i) text += i <= group.size() ? alphabet[bits >> (18 - 6 * i) & 63] : '=';
    }
    return text;
}

std::optional<Bytes> from_base64(ByteView text) {
    if (text.size() % 4 != 0) return std::nullopt;
    Bytes bytes;
    for (std::size_t at = 0; at < text.size(); at += 4) {
        ByteView group = text.substr(at, 4);
        if (at + 4 == text.size()) {
            if (group.back() == '=') group.remove_suffix(1);
            if (group.back() == '=') group.remove_suffix(1);
        }
        std::uint32_t bits = 0;
        for (const char c : group) {
            const auto value = value_of(c);
            if (!value) return std::nullopt;
            bits = bits << 6 | *value;
        }
        if (group.size() < 2) return std::nullopt;
        bits <<= 6 * (4 - group.size());
        for (std::size_t i = 0; i + 1 < group.size(); ++i) bytes += static_cast<char>(bits >> (16 - 8 * i) & 255);
    }
    return bytes;
}

}  // namespace pgsluice::auth
