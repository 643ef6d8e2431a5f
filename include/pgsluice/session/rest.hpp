// What still has to come of a message whose beginning has been dealt with, and where it goes: with its beginning, or,
// where that was dropped or answered here, nowhere.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/wire/outbox.hpp>

#include <algorithm>
#include <cstdint>

namespace pgsluice::session {

class Rest {
  public:
    enum class Goes : std::uint8_t { onward, nowhere };

    // None may be due.
    void expect(std::size_t bytes, Goes goes) {
        bytes_ = bytes;
        goes_ = goes;
    }
    // As much of it as stands at the front of `stream`; returns how much that was.
    std::size_t take(ByteView stream, wire::Outbox& onward) {
        const std::size_t part = std::min(bytes_, stream.size());
        if (goes_ == Goes::onward) onward.add(prefix(stream, part));
        bytes_ -= part;
        return part;
    }
    bool is_due() const { return bytes_ > 0; }
    std::size_t bytes() const { return bytes_; }
    // Whoever has its beginning would read the bytes of another message as its rest.
    bool is_half_sent() const { return bytes_ > 0 && goes_ == Goes::onward; }

  private:
    std::size_t bytes_ = 0;
    Goes goes_ = Goes::nowhere;
};

}  // namespace pgsluice::session
