// What the fuzz targets share. A target takes bytes from a stranger and checks what must hold whatever they are; a
// crash, a sanitizer's report or a broken PGSLUICE_CHECK is the finding.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/base/check.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace pgsluice::fuzz {

inline ByteView view(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

// Takes a byte that chooses a variant off the front; 0 where there is none.
inline unsigned choice(ByteView& input) {
    if (input.empty()) return 0;
    const auto chosen = static_cast<unsigned char>(input.front());
    input.remove_prefix(1);
    return chosen;
}

// The text up to the next `separator`, which is dropped.
inline ByteView part(ByteView& input, char separator) {
    const auto end = input.find(separator);
    const ByteView text = input.substr(0, end);
    input.remove_prefix(end == ByteView::npos ? input.size() : end + 1);
    return text;
}

// `text` with '@' replaced: a nonce that no fuzzer could guess.
inline std::string with_nonce(ByteView text, ByteView nonce) {
    std::string filled;
    for (const char c : text) {
        if (c == '@') {
            filled += nonce;
        } else {
            filled += c;
        }
    }
    return filled;
}

}  // namespace pgsluice::fuzz
