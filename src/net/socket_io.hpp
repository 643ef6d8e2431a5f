// One read from, or write to, a connected socket. Never blocks, never raises SIGPIPE.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/base/result.hpp>

#include <cstddef>
#include <span>

namespace pgsluice::net {

struct Io {
    enum class State : unsigned char {
        done,         // `count` bytes were moved
        would_block,  // none can be moved now
        end,          // the peer has sent its last byte
        failed,       // see `error`
    };
    State state = State::done;
    // After a read: nothing more is there, neither bytes nor an end, until the socket becomes readable again.
    bool drained = false;
    std::size_t count = 0;
    error_code error{};
};

// Has the kernel report what stays unread with each read (TCP_INQ), so that receive() can tell `drained`. Without it,
// which is so for Unix sockets, receive() says `drained` only when a read comes back empty-handed.
void report_unread(int fd);

Io receive(int fd, std::span<char> into);
Io send(int fd, ByteView bytes);

}  // namespace pgsluice::net
