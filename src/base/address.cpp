#include <pgsluice/base/address.hpp>

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace pgsluice {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

unsigned bits(Address::Family family) {
    return family == Address::Family::ipv4 ? 32 : 128;
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) return std::nullopt;  // inet_pton would not see what is behind it
    const std::string copy(text);
    Address address;
    if (inet_pton(AF_INET, copy.c_str(), address.octets.data()) == 1) {
        address.family = Family::ipv4;
        return address;
    }
    if (inet_pton(AF_INET6, copy.c_str(), address.octets.data()) != 1) return std::nullopt;
    address.family = Family::ipv6;
    if (std::equal(mapped_prefix.begin(), mapped_prefix.end(), address.octets.begin())) {
        std::memmove(address.octets.data(), address.octets.data() + mapped_prefix.size(), 4);
        std::fill(address.octets.begin() + 4, address.octets.end(), std::uint8_t{0});
        address.family = Family::ipv4;
    }
    return address;
}

std::string Address::to_string() const {
    if (family == Family::unix_socket) return "[local]";
    if (family == Family::unknown) return "[unknown]";
    char text[INET6_ADDRSTRLEN] = "";
    inet_ntop(family == Family::ipv4 ? AF_INET : AF_INET6, octets.data(), text, sizeof text);
    return text;
}

Address Address::subscriber() const {
    Address counted = *this;
    counted.port = 0;
    if (family == Family::ipv6) std::fill(counted.octets.begin() + 8, counted.octets.end(), std::uint8_t{0});
    return counted;
}

std::optional<Network> Network::parse(std::string_view text) {
    Network network;
    if (text == "unix") return network;
    const auto slash = text.find('/');
    const auto address = Address::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    network.base_ = *address;
    network.prefix_ = bits(address->family);
    if (slash == std::string_view::npos) return network;
    const auto digits = text.substr(slash + 1);
    unsigned prefix = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    // The prefix of an IPv4 network written in mapped form counts the mapping's bits too.
    const bool is_mapped = address->family == Address::Family::ipv4 && text.find(':') != std::string_view::npos;
    const unsigned mapping = is_mapped ? unsigned{8 * mapped_prefix.size()} : 0;
    if (prefix < mapping || prefix - mapping > bits(address->family)) return std::nullopt;
    network.prefix_ = prefix - mapping;
    return network;
}

bool Network::contains(const Address& address) const {
    if (address.family != base_.family) return false;
    const unsigned whole = prefix_ / 8;
    if (!std::equal(base_.octets.begin(), base_.octets.begin() + whole, address.octets.begin())) return false;
    const unsigned rest = prefix_ % 8;
    if (rest == 0) return true;
    const auto mask = static_cast<std::uint8_t>(0xFF << (8 - rest));
    return ((base_.octets[whole] ^ address.octets[whole]) & mask) == 0;
}

std::string Network::to_string() const {
    if (base_.family == Address::Family::unix_socket) return "unix";
    return base_.to_string() + '/' + std::to_string(prefix_);
}

}  // namespace pgsluice
