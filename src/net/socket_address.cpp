#include "socket_address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace pgsluice::net {

namespace {
constexpr std::array<std::uint8_t, 12> ipv4_mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
}

SocketAddress socket_address(const Address& address, std::uint16_t port) {
    SocketAddress made;
    if (address.family == Address::Family::ipv4) {
        made.ipv4 = {};
        made.ipv4.sin_family = AF_INET;
        made.ipv4.sin_port = htons(port);
        std::memcpy(&made.ipv4.sin_addr, address.octets.data(), 4);
        made.size = sizeof made.ipv4;
    } else if (address.family == Address::Family::ipv6) {
        made.ipv6 = {};
        made.ipv6.sin6_family = AF_INET6;
        made.ipv6.sin6_port = htons(port);
        std::memcpy(&made.ipv6.sin6_addr, address.octets.data(), 16);
        made.size = sizeof made.ipv6;
    }
    return made;
}

std::optional<SocketAddress> unix_socket_address(const std::string& path) {
    SocketAddress made;
    if (path.size() >= sizeof made.unix_socket.sun_path) return std::nullopt;
    made.unix_socket.sun_family = AF_UNIX;
    std::memcpy(made.unix_socket.sun_path, path.c_str(), path.size() + 1);
    made.size = sizeof made.unix_socket;
    return made;
}

Address address_of(const SocketAddress& address) {
    Address made;
    if (address.family() == AF_INET) {
        made.family = Address::Family::ipv4;
        std::memcpy(made.octets.data(), &address.ipv4.sin_addr, 4);
        made.port = ntohs(address.ipv4.sin_port);
    } else if (address.family() == AF_INET6) {
        std::array<std::uint8_t, 16> octets{};
        std::memcpy(octets.data(), &address.ipv6.sin6_addr, 16);
        if (std::equal(ipv4_mapped.begin(), ipv4_mapped.end(), octets.begin())) {
            made.family = Address::Family::ipv4;
            std::copy(octets.begin() + 12, octets.end(), made.octets.begin());
        } else {
            made.family = Address::Family::ipv6;
            made.octets = octets;
        }
        made.port = ntohs(address.ipv6.sin6_port);
    }
    return made;
}

Address remote_address(int fd) {
    SocketAddress address;
    address.size = sizeof address.unix_socket;
    if (::getpeername(fd, &address.any, &address.size) != 0) return {};
    return address_of(address);
}

std::uint16_t local_port_of(int fd) {
    SocketAddress address;
    address.size = sizeof address.unix_socket;
    if (::getsockname(fd, &address.any, &address.size) != 0) return 0;
    return address_of(address).port;
}

std::string with_port(const std::string& host, std::uint16_t port) {
    const bool needs_brackets = host.find(':') != std::string::npos;
    return (needs_brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string unix_socket_path(const std::string& directory, std::uint16_t port) {
    return directory + "/.s.PGSQL." + std::to_string(port);
}

}  // namespace pgsluice::net
