#include "socket_io.hpp"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace pgsluice::net {

namespace {

// The system calls themselves. The C library's recv and send are cancellation points, which in a process with threads
// costs each of them two locked instructions and a seventh of what a relayed message takes outside the kernel.
ssize_t call_recv(int fd, std::span<char> into, int flags) {
    return ::syscall(SYS_recvfrom, fd, into.data(), into.size(), MSG_DONTWAIT | flags, nullptr, nullptr);
}

ssize_t call_send(int fd, ByteView bytes) {
    return ::syscall(SYS_sendto, fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL, nullptr, 0);
}

Io failure(int error) {
    if (error == EAGAIN || error == EWOULDBLOCK) return {.state = Io::State::would_block, .drained = true};
    return {.state = Io::State::failed, .error = error_code(error, boost::system::system_category())};
}

Io receive(int fd, std::span<char> into, int flags) {
    for (;;) {
        const ssize_t got = call_recv(fd, into, flags);
        if (got > 0) {
            const auto count = static_cast<std::size_t>(got);
            return {.drained = count < into.size(), .count = count};
        }
        if (got == 0) return {.state = Io::State::end};
        if (errno != EINTR) return failure(errno);
    }
}

}  // namespace

Io receive(int fd, std::span<char> into) {
    return receive(fd, into, 0);
}

Io peek(int fd, std::span<char> into) {
    return receive(fd, into, MSG_PEEK);
}

Io send(int fd, ByteView bytes) {
    for (;;) {
        const ssize_t count = call_send(fd, bytes);
        if (count >= 0) return {.count = static_cast<std::size_t>(count)};
        if (errno != EINTR) return failure(errno);
    }
}

}  // namespace pgsluice::net
