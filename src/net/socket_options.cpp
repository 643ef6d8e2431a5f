#include <pgsluice/net/socket_options.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <climits>

namespace pgsluice::net {

namespace {

void set(int fd, int level, int name, int value) {
    ::setsockopt(fd, level, name, &value, sizeof value);
}

// The kernel counts keepalive in whole seconds; anything above zero is at least one.
int whole_seconds(Milliseconds time) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(time).count();
    return static_cast<int>(std::clamp<std::int64_t>(seconds, 1, 32767));
}

}  // namespace

void apply(const SocketOptions& options, int fd) {
    int domain = AF_UNSPEC;
    socklen_t size = sizeof domain;
    if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain == AF_UNIX) return;

    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    if (options.keepalive_idle > Milliseconds::zero()) {
        set(fd, IPPROTO_TCP, TCP_KEEPIDLE, whole_seconds(options.keepalive_idle));
    }
    if (options.keepalive_interval > Milliseconds::zero()) {
        set(fd, IPPROTO_TCP, TCP_KEEPINTVL, whole_seconds(options.keepalive_interval));
    }
    if (options.keepalive_count > 0) set(fd, IPPROTO_TCP, TCP_KEEPCNT, std::min(options.keepalive_count, 127));
    if (options.tcp_user_timeout > Milliseconds::zero()) {
        const auto milliseconds = std::min<std::int64_t>(options.tcp_user_timeout.count(), INT_MAX);
        set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(milliseconds));
    }
}

}  // namespace pgsluice::net
