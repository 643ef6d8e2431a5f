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
    // After a read: the socket was emptied. More bytes will announce themselves; an end may have come already.
    bool drained = false;
    std::size_t count = 0;
    error_code error{};
};

Io receive(int fd, std::span<char> into);
Io peek(int fd, std::span<char> into);  // what receive would give next, left there
Io send(int fd, ByteView bytes);

}  // namespace pgsluice::net
