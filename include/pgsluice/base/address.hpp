// Network addresses and CIDR blocks as values, IPv4 and IPv6, without sockets. An IPv4-mapped IPv6 address is its IPv4
// address.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgsluice {

// Where a client came from: an IP address and port, a Unix socket, or nobody says (behind a load balancer, say). Of no
// network is who is unknown.
struct Address {
    enum class Family : std::uint8_t { unix_socket, ipv4, ipv6, unknown };
    Family family = Family::unix_socket;
    std::array<std::uint8_t, 16> octets{};  // the first 4 for ipv4
    std::uint16_t port = 0;

    static std::optional<Address> parse(std::string_view text);  // "10.0.0.1", "::1"; no port
    std::string to_string() const;  // without the port; "[local]" for a Unix socket, "[unknown]"

    // What is counted where connections or guesses are counted by address, without the port: an IPv4 address, the
    // first 64 bits of an IPv6 address, or all Unix sockets, or all unknown ones, together. A single host has all
    // addresses of such an IPv6 network to choose from, so that a count by address would never reach its limit.
    Address subscriber() const;
    friend bool operator==(const Address&, const Address&) = default;
};

// "10.0.0.0/8", "::1/128", a bare address (that address alone), or "unix" (any Unix socket).
class Network {
  public:
    static std::optional<Network> parse(std::string_view text);
    bool contains(const Address& address) const;
    std::string to_string() const;
    friend bool operator==(const Network&, const Network&) = default;

  private:
    Address base_;
    unsigned prefix_ = 0;
};

}  // namespace pgsluice
