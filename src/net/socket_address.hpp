// Addresses between our form and the kernel's.
#pragma once

#include <pgsluice/base/address.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <optional>
#include <string>

namespace pgsluice::net {

// Any socket address, with its length.
struct SocketAddress {
    union {
        sockaddr any;
        sockaddr_in ipv4;
        sockaddr_in6 ipv6;
        sockaddr_un unix_socket;
    };
    socklen_t size = 0;

    SocketAddress() : unix_socket{} {}
    int family() const { return any.sa_family; }
};

SocketAddress socket_address(const Address& address, std::uint16_t port);
// Nothing where the path is too long for the kernel (107 octets).
std::optional<SocketAddress> unix_socket_address(const std::string& path);

Address address_of(const SocketAddress& address);
Address remote_address(int fd);       // of a connected socket
std::uint16_t local_port_of(int fd);  // 0 for a Unix socket

// "10.0.0.1:5432", "[::1]:5432"
std::string with_port(const std::string& host, std::uint16_t port);

// The name of the socket file that libpq looks for in a directory.
std::string unix_socket_path(const std::string& directory, std::uint16_t port);

}  // namespace pgsluice::net
