// The first packets of a connection, which carry no tag: StartupMessage, SSLRequest, GSSENCRequest, CancelRequest.
// Rules and limits are those of PostgreSQL 15's ProcessStartupPacket (src/backend/postmaster/postmaster.c).
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

namespace pgsluice::wire {

constexpr std::size_t startup_packet_limit = 10000;  // MAX_STARTUP_PACKET_LENGTH, without the length word

// Parameters that begin so are options of the protocol, and no settings.
constexpr ByteView protocol_option_prefix = "_pq_.";

struct StartupMessage {
    std::uint16_t major = 3, minor = 0;
    std::vector<std::pair<ByteView, ByteView>> parameters;  // in the order sent; views into the packet
};
struct SslRequest {};
struct GssEncRequest {};
struct CancelRequest {
    std::int32_t process_id = 0;
    ByteView secret;  // 4 bytes in protocol 3.0, up to 256 in 3.2
};
// Protocol 2.0 and others that carry nothing we can read.
struct UnsupportedProtocol {
    std::uint16_t major = 0, minor = 0;
};

enum class StartupError : std::uint8_t {
    invalid_length,  // PostgreSQL closes without a message
    invalid_layout,  // FATAL 08P01 "invalid startup packet layout: expected terminator as last byte"
};

using StartupPacket =
    std::variant<StartupMessage, SslRequest, GssEncRequest, CancelRequest, UnsupportedProtocol, StartupError>;

// Size of the packet at the front of `buffer` with its length word; 0 while fewer than four bytes are there. A size
// that PostgreSQL would not accept is answered with invalid_size.
constexpr std::size_t invalid_size = static_cast<std::size_t>(-1);
std::size_t startup_packet_size(ByteView buffer);

// `packet` is one whole packet, length word included, of a size that startup_packet_size accepted.
StartupPacket read_startup_packet(ByteView packet);

// `parameters`: who logs in, and settings; `options` is none of them. A parameter _pq_.* would be read as an option of
// the protocol, so settings of such names go as switches.
void write_startup_message(Bytes& out, const std::vector<std::pair<ByteView, ByteView>>& parameters);
void write_ssl_request(Bytes& out);
void write_cancel_request(Bytes& out, std::int32_t process_id, ByteView secret);

}  // namespace pgsluice::wire
