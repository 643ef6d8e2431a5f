#include <pgsluice/wire/proxy_header.hpp>
#include <pgsluice/wire/reader.hpp>

#include <arpa/inet.h>

#include <array>
#include <charconv>

namespace pgsluice::wire {
namespace {

constexpr ByteView version_1 = "PROXY ";
constexpr ByteView version_2{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t longest_line = 107;  // of version 1, with its end
constexpr std::size_t fixed_bytes = 16;    // of version 2, ahead of the addresses

constexpr ProxyHeader malformed{.state = ProxyHeader::State::malformed};

bool begins_like(ByteView buffer, ByteView signature) {
    const std::size_t common = std::min(buffer.size(), signature.size());
    return buffer.substr(0, common) == signature.substr(0, common);
}

ProxyHeader local(std::size_t size) {
    return {.state = ProxyHeader::State::complete, .size = size};
}

ProxyHeader relayed(std::size_t size, std::optional<Address> source = std::nullopt) {
    return {.state = ProxyHeader::State::complete, .size = size, .is_relayed = true, .source = source};
}

std::optional<std::uint16_t> port_in(ByteView text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return port;
}

// The next word of a line, and the one space behind it.
ByteView word(ByteView& line) {
    const auto end = line.find(' ');
    const ByteView found = line.substr(0, end);
    line.remove_prefix(end == ByteView::npos ? line.size() : end + 1);
    return found;
}

bool is_written_in(ByteView address, ByteView family) {
    return (address.find(':') == ByteView::npos) == (family == "TCP4");
}

ProxyHeader read_line(ByteView buffer) {
    const auto end = buffer.substr(0, longest_line).find("\r\n");
    if (end == ByteView::npos) {
        return buffer.size() < longest_line ? ProxyHeader{} : malformed;
    }
    ByteView line = buffer.substr(version_1.size(), end - version_1.size());
    const std::size_t size = end + 2;
    const ByteView family = word(line);
    if (family == "UNKNOWN") return relayed(size);
    if (family != "TCP4" && family != "TCP6") return malformed;
    const ByteView from = word(line), to = word(line);
    const auto source_port = port_in(word(line)), destination_port = port_in(word(line));
    auto source = Address::parse(from);
    const auto destination = Address::parse(to);
    if (!source || !destination || !source_port || !destination_port || !line.empty()) return malformed;
    if (!is_written_in(from, family) || !is_written_in(to, family)) return malformed;
    source->port = *source_port;
    return relayed(size, source);
}

// Source and destination addresses of `octets` each, then both ports.
std::optional<Address> read_addresses(ByteView body, int family, std::size_t octets) {
    Reader reader(body);
    const ByteView source = reader.bytes(octets);
    reader.bytes(octets);
    const std::uint16_t port = reader.uint16();
    reader.uint16();
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (!reader.ok() || inet_ntop(family, source.data(), text.data(), text.size()) == nullptr) return std::nullopt;
    auto address = Address::parse(text.data());
    if (address) address->port = port;
    return address;
}

ProxyHeader read_binary(ByteView buffer) {
    if (buffer.size() < fixed_bytes) return {};
    Reader reader(buffer.substr(version_2.size()));
    const std::uint8_t version_and_command = reader.byte(), family = reader.byte();
    const std::size_t size = fixed_bytes + reader.uint16();
    const bool is_local = version_and_command == 0x20;
    if ((!is_local && version_and_command != 0x21) || size > longest_proxy_header) return malformed;
    if (buffer.size() < size) return {};
    const ByteView body = buffer.substr(fixed_bytes, size - fixed_bytes);
    constexpr std::uint8_t unspecified = 0x00, tcp_4 = 0x11, tcp_6 = 0x21, unix_stream = 0x31;
    if (is_local) return local(size);
    if (family == unspecified || family == unix_stream) return relayed(size);
    if (family != tcp_4 && family != tcp_6) return malformed;
    const auto source = family == tcp_4 ? read_addresses(body, AF_INET, 4) : read_addresses(body, AF_INET6, 16);
    return source ? relayed(size, source) : malformed;
}

}  // namespace

ProxyHeader read_proxy_header(ByteView buffer) {
    if (begins_like(buffer, version_2)) return read_binary(buffer);
    if (begins_like(buffer, version_1)) return read_line(buffer);
    return malformed;
}

}  // namespace pgsluice::wire
