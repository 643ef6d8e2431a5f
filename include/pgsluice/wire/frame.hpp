// Cuts headers off a byte stream of tagged messages. Owns no bytes. Startup packets carry no tag: see
// startup_packet.hpp. Lengths are checked per type before a byte goes on. What a client sends has PostgreSQL's limits
// (src/backend/tcop/postgres.c, SocketBackend; src/include/libpq/libpq.h): 0x3FFFFFFE for messages that carry data,
// 10,000 for the small ones. What a server sends has none there: one allocation (0x3FFFFFFF and the length word) for
// messages that may be large, 65,536 for those of logins and for the beginnings of COPY, and the one right length for
// ReadyForQuery and for messages without a body.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <cstddef>
#include <cstdint>

namespace pgsluice::wire {

constexpr std::size_t header_bytes = 5;  // tag, then a length that counts itself but not the tag
// Of clients.
constexpr std::uint32_t large_message_limit = 0x3FFFFFFE;
constexpr std::uint32_t small_message_limit = 10000;

enum class Cut : std::uint8_t {
    need_more,  // fewer than header_bytes are there
    frame,
    unknown_type,    // not a tag of this direction
    invalid_length,  // below four, or over the limit of its type
};

struct Frame {
    Cut cut;
    char tag = 0;
    std::size_t size = 0;  // the whole message with its header; the buffer may hold less of it
};

Frame cut_frontend(ByteView buffer);
Frame cut_backend(ByteView buffer);

// Bytes of the whole, well-formed messages of type `tag` that stand one behind the other at the front of the buffer:
// COPY data comes in thousands.
std::size_t run_of_frontend(ByteView buffer, char tag);
// The same for what results are made of: RowDescription, DataRow and CopyData in any order.
std::size_t run_of_results(ByteView buffer);

// The body of a message that is wholly in `buffer`.
inline ByteView body_of(ByteView buffer, const Frame& frame) {
    buffer.remove_prefix(header_bytes);
    return prefix(buffer, frame.size - header_bytes);
}

}  // namespace pgsluice::wire
