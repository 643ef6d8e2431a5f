// Reads the fields of one message body. The first field that does not fit makes the reader fail for good; a caller
// checks once, at the end. Every length is compared with what remains, never added to a position (lengths come from
// strangers).
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <cstdint>

namespace pgsluice::wire {

class Reader {
  public:
    explicit Reader(ByteView body) : rest_(body) {}

    std::uint8_t byte() { return static_cast<std::uint8_t>(integer(1)); }
    std::uint16_t uint16() { return static_cast<std::uint16_t>(integer(2)); }
    std::int16_t int16() { return static_cast<std::int16_t>(integer(2)); }
    std::int32_t int32() { return static_cast<std::int32_t>(integer(4)); }

    // Up to the next NUL, which is consumed and not part of the result.
    ByteView string() {
        const auto end = rest_.find('\0');
        if (end == ByteView::npos) return fail();
        const ByteView text = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return text;
    }
    ByteView bytes(std::size_t count) {
        if (count > rest_.size()) return fail();
        const ByteView taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }
    ByteView remaining() const { return rest_; }

    bool ok() const { return !failed_; }
    bool at_end() const { return !failed_ && rest_.empty(); }

  private:
    std::uint32_t integer(std::size_t count) {
        std::uint32_t value = 0;
        for (const char c : bytes(count)) value = value << 8 | static_cast<unsigned char>(c);
        return value;
    }
    ByteView fail() {
        failed_ = true;
        rest_ = {};
        return {};
    }

    ByteView rest_;
    bool failed_ = false;
};

}  // namespace pgsluice::wire
