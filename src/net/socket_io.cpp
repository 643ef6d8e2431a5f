#include "socket_io.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace pgsluice::net {

namespace {

Io failure(int error) {
    if (error == EAGAIN || error == EWOULDBLOCK) return {.state = Io::State::would_block, .drained = true};
    return {.state = Io::State::failed, .error = error_code(error, boost::system::system_category())};
}

// Zero only where neither bytes nor the peer's end wait: the kernel reports at least 1 once a FIN has come.
bool nothing_left(msghdr& message) {
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (header == nullptr || header->cmsg_level != IPPROTO_TCP || header->cmsg_type != TCP_CM_INQ) return false;
    int unread = 0;
    std::memcpy(&unread, CMSG_DATA(header), sizeof unread);
    return unread == 0;
}

}  // namespace

void report_unread(int fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_INQ, &on, sizeof on);
}

Io receive(int fd, std::span<char> into) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    iovec part{into.data(), into.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    for (;;) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        const ssize_t count = ::recvmsg(fd, &message, MSG_DONTWAIT);
        if (count > 0) return {.drained = nothing_left(message), .count = static_cast<std::size_t>(count)};
        if (count == 0) return {.state = Io::State::end};
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
