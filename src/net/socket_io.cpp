#include "socket_io.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace pgsluice::net {

namespace {

Io failure(int error) {
    if (error == EAGAIN || error == EWOULDBLOCK) return {.state = Io::State::would_block, .drained = true};
    return {.state = Io::State::failed, .error = error_code(error, boost::system::system_category())};
}

}  // namespace

Io receive(int fd, std::span<char> into) {
    for (;;) {
        const ssize_t got = ::recv(fd, into.data(), into.size(), MSG_DONTWAIT);
        if (got > 0) {
            const auto count = static_cast<std::size_t>(got);
            return {.drained = count < into.size(), .count = count};
        }
        if (got == 0) return {.state = Io::State::end};
        if (errno != EINTR) return failure(errno);
    }
}

Io send(int fd, ByteView bytes) {
    for (;;) {
        const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count >= 0) return {.count = static_cast<std::size_t>(count)};
        if (errno != EINTR) return failure(errno);
    }
}

}  // namespace pgsluice::net
