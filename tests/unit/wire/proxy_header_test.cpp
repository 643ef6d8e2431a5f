#include <pgsluice/wire/proxy_header.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pgsluice::wire {
namespace {

const Bytes signature("\r\n\r\n\0\r\nQUIT\n", 12);

// command and family, then the body with its length ahead of it.
Bytes binary(unsigned char command, unsigned char family, const Bytes& body) {
    Bytes out = signature;
    out += static_cast<char>(command);
    out += static_cast<char>(family);
    out += static_cast<char>(body.size() >> 8);
    out += static_cast<char>(body.size() & 0xFF);
    return out + body;
}

const Bytes tcp_4_body("\x0A\x01\x02\x03\x0A\x00\x00\x01\x1F\x90\x15\x38", 12);

std::string told(ByteView buffer) {
    const ProxyHeader header = read_proxy_header(buffer);
    if (header.state == ProxyHeader::State::need_more) return "more";
    if (header.state == ProxyHeader::State::malformed) return "malformed";
    return std::to_string(header.size) + ' ' +
           (header.source       ? header.source->to_string() + ' ' + std::to_string(header.source->port)
            : header.is_relayed ? "somebody"
                                : "itself");
}

TEST(ProxyHeader, version_1_names_the_client) {
    EXPECT_EQ(told("PROXY TCP4 10.1.2.3 10.0.0.1 8080 5432\r\nrest"), "40 10.1.2.3 8080");
    EXPECT_EQ(told("PROXY TCP6 2001:db8::1 ::1 65535 5432\r\n"), "39 2001:db8::1 65535");
    EXPECT_EQ(told("PROXY UNKNOWN\r\n"), "15 somebody");
    EXPECT_EQ(told("PROXY UNKNOWN ffff::1 ::1 1 2\r\n"), "31 somebody");
}

TEST(ProxyHeader, version_1_is_taken_to_the_letter) {
    for (const char* line :
         {"PROXY\r\n", "PROXY \r\n", "PROXY TCP5 10.1.2.3 10.0.0.1 1 2\r\n", "PROXY TCP4 10.1.2.3 10.0.0.1 1\r\n",
          "PROXY TCP4 10.1.2.3 10.0.0.1 1 2 3\r\n", "PROXY TCP4 10.1.2.3 10.0.0.1 1 65536\r\n",
          "PROXY TCP4 10.1.2.3 10.0.0.1 -1 2\r\n", "PROXY TCP4  10.1.2.3 10.0.0.1 1 2\r\n",
          "PROXY TCP4 2001:db8::1 ::1 1 2\r\n", "PROXY TCP6 10.1.2.3 10.0.0.1 1 2\r\n",
          "PROXY TCP4 host 10.0.0.1 1 2\r\n", "proxy TCP4 10.1.2.3 10.0.0.1 1 2\r\n"}) {
        EXPECT_EQ(told(line), "malformed") << line;
    }
    EXPECT_EQ(told("PROXY UNKNOWN " + Bytes(91, 'x') + "\r\n"), "107 somebody");
    EXPECT_EQ(told("PROXY UNKNOWN " + Bytes(92, 'x') + "\r\n"), "malformed");
    EXPECT_EQ(told("PROXY UNKNOWN " + Bytes(93, 'x')), "malformed");
}

TEST(ProxyHeader, version_2_names_the_client_and_may_carry_more) {
    EXPECT_EQ(told(binary(0x21, 0x11, tcp_4_body) + "rest"), "28 10.1.2.3 8080");
    EXPECT_EQ(told(binary(0x21, 0x11, tcp_4_body + Bytes(100, '\x05'))), "128 10.1.2.3 8080");
    const Bytes six =
        Bytes("\x20\x01\x0D\xB8", 4) + Bytes(11, '\0') + '\x01' + Bytes(16, '\0') + Bytes("\0\x07\0\x08", 4);
    EXPECT_EQ(told(binary(0x21, 0x21, six)), "52 2001:db8::1 7");
    EXPECT_EQ(told(binary(0x20, 0x00, "")), "16 itself");
    EXPECT_EQ(told(binary(0x20, 0x11, tcp_4_body)), "28 itself");
    EXPECT_EQ(told(binary(0x21, 0x00, "")), "16 somebody");
    EXPECT_EQ(told(binary(0x21, 0x31, Bytes(216, '\0'))), "232 somebody");
}

TEST(ProxyHeader, version_2_is_taken_to_the_letter) {
    EXPECT_EQ(told(binary(0x22, 0x11, tcp_4_body)), "malformed");
    EXPECT_EQ(told(binary(0x11, 0x11, tcp_4_body)), "malformed");
    EXPECT_EQ(told(binary(0x21, 0x12, tcp_4_body)), "malformed");
    EXPECT_EQ(told(binary(0x21, 0x11, tcp_4_body.substr(1))), "malformed");
    EXPECT_EQ(told(binary(0x21, 0x21, tcp_4_body)), "malformed");
    EXPECT_EQ(told(binary(0x21, 0x11, Bytes(4081, 'x'))), "malformed");
}

TEST(ProxyHeader, is_the_same_however_it_is_cut) {
    const std::vector<Bytes> whole{"PROXY TCP4 10.1.2.3 10.0.0.1 8080 5432\r\n", binary(0x21, 0x11, tcp_4_body)};
    for (const Bytes& header : whole) {
        for (std::size_t size = 0; size < header.size(); ++size) EXPECT_EQ(told(header.substr(0, size)), "more");
        EXPECT_EQ(told(header), std::to_string(header.size()) + " 10.1.2.3 8080");
    }
}

// What a client that knows nothing of it sends first.
TEST(ProxyHeader, is_not_taken_for_a_startup_packet) {
    EXPECT_EQ(told(ByteView("\0\0\0\x08\x04\xD2\x16\x2F", 8)), "malformed");
    EXPECT_EQ(told("\x16\x03\x01"), "malformed");
    EXPECT_EQ(told("GET / HTTP/1.0\r\n"), "malformed");
}

}  // namespace
}  // namespace pgsluice::wire
