#include "socket_address.hpp"

#include <pgsluice/net/listener.hpp>

#include <sys/socket.h>

#include <cerrno>

namespace pgsluice::net {

namespace {

constexpr int backlog = 4096;  // the kernel cuts it to net.core.somaxconn

void set(int fd, int level, int name, int value) {
    ::setsockopt(fd, level, name, &value, sizeof value);
}

Outcome<Descriptor> bind_and_listen(const Address& address, std::uint16_t port, bool shares) {
    const auto failed = [&] {
        const error_code code(errno, boost::system::system_category());
        return Error{code, "could not listen on " + with_port(address.to_string(), port) + ": " + code.message()};
    };
    const SocketAddress where = socket_address(address, port);
    Descriptor socket(::socket(where.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) return failed();
    set(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (shares) set(socket.get(), SOL_SOCKET, SO_REUSEPORT, 1);
    if (where.family() == AF_INET6) set(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (::bind(socket.get(), &where.any, where.size) != 0) return failed();
    if (::listen(socket.get(), backlog) != 0) return failed();
    return socket;
}

}  // namespace

Outcome<TcpAddress> TcpAddress::listen(const std::string& address, std::uint16_t port, const SocketOptions& options) {
    const auto parsed = Address::parse(address);
    if (!parsed) return Error{.code = {}, .text = "could not listen on \"" + address + "\": not an IP address"};
    TcpAddress made;
    made.address_ = *parsed;
    made.options_ = options;

    // Two sockets that are bound with SO_REUSEADDR do not conflict until one of them listens, and listen() checks
    // again: of two processes that start together exactly one passes. The option that lets others in comes after.
    auto first = bind_and_listen(*parsed, port, false);
    if (!first) return first.error();
    set(first->get(), SOL_SOCKET, SO_REUSEPORT, 1);
    apply(options, first->get());
    made.first_ = std::move(*first);
    made.port_ = local_port_of(made.first_.get());
    return made;
}

Outcome<Descriptor> TcpAddress::open() {
    if (first_) return std::move(first_);
    auto another = bind_and_listen(address_, port_, true);
    if (another) apply(options_, another->get());
    return another;
}

}  // namespace pgsluice::net
