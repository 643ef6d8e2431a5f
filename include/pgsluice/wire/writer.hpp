// Appends messages to a byte string: begin, fields, end. `end` fills in the length, which is computed and never
// assumed.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/base/check.hpp>
#include <pgsluice/wire/tags.hpp>

#include <cstdint>

namespace pgsluice::wire {

class Writer {
  public:
    // `out` must outlive the writer; messages are appended to what it holds.
    explicit Writer(Bytes& out) : out_(out) {}

    Writer& begin(FrontendTag tag) { return begin(static_cast<char>(tag)); }
    Writer& begin(BackendTag tag) { return begin(static_cast<char>(tag)); }
    Writer& begin_untagged() {
        start_ = out_.size();
        out_.append(4, '\0');
        return *this;
    }

    Writer& byte(char value) {
        out_ += value;
        return *this;
    }
    Writer& int16(std::int16_t value) { return integer(static_cast<std::uint16_t>(value), 2); }
    Writer& int32(std::int32_t value) { return integer(static_cast<std::uint32_t>(value), 4); }
    Writer& bytes(ByteView value) {
        out_ += value;
        return *this;
    }
    // The text and its terminator. Text after an embedded NUL would become another field, so it is cut there.
    Writer& string(ByteView value) {
        out_ += value.substr(0, value.find('\0'));
        out_ += '\0';
        return *this;
    }

    void end() {
        const std::size_t length = out_.size() - start_;
        PGSLUICE_CHECK(length <= 0x7FFFFFFF);
        for (std::size_t i = 0; i < 4; ++i) out_[start_ + i] = static_cast<char>(length >> (24 - 8 * i));
    }

  private:
    Writer& begin(char tag) {
        out_ += tag;
        return begin_untagged();
    }
    Writer& integer(std::uint32_t value, int count) {
        for (int shift = 8 * (count - 1); shift >= 0; shift -= 8) out_ += static_cast<char>(value >> shift);
        return *this;
    }

    Bytes& out_;
    std::size_t start_ = 0;
};

}  // namespace pgsluice::wire
