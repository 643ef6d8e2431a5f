#include <pgsluice/wire/startup_options.hpp>
#include <pgsluice/wire/startup_packet.hpp>

#include <gtest/gtest.h>
#include <support/messages.hpp>
#include <support/splits.hpp>

namespace pgsluice::wire {
namespace {

namespace client = test::client;
using Parameters = std::vector<std::pair<ByteView, ByteView>>;

Bytes length_word(std::uint32_t length) {
    Bytes out;
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(length >> shift);
    return out;
}
// A startup packet of protocol 3.0 with any body.
Bytes packet(ByteView body) {
    return client::packet(3 << 16, body);
}
bool has_invalid_layout(ByteView body) {
    const Bytes bytes = packet(body);
    const StartupPacket read = read_startup_packet(bytes);
    const auto* error = std::get_if<StartupError>(&read);
    return error != nullptr && *error == StartupError::invalid_layout;
}

}  // namespace

TEST(StartupPacketSize, waits_for_the_length_word) {
    const Bytes whole = client::startup({{"user", "u"}});
    for (std::size_t size = 0; size < 4; ++size) EXPECT_EQ(startup_packet_size(ByteView(whole).substr(0, size)), 0U);
    for (std::size_t size = 4; size <= whole.size(); ++size) {
        EXPECT_EQ(startup_packet_size(ByteView(whole).substr(0, size)), whole.size());
    }
    EXPECT_EQ(startup_packet_size(whole + "more"), whole.size());
}

TEST(StartupPacketSize, takes_what_postgresql_takes) {
    for (const std::uint32_t length : {8U, 9U, 10000U, 10004U}) {
        EXPECT_EQ(startup_packet_size(length_word(length)), length);
    }
    for (const std::uint32_t length : {0U, 3U, 4U, 7U, 10005U, 0x7FFFFFFFU, 0x80000000U, 0xFFFFFFFFU}) {
        EXPECT_EQ(startup_packet_size(length_word(length)), invalid_size) << length;
    }
    EXPECT_EQ(startup_packet_size("GET / HTTP/1.1"), invalid_size);
    EXPECT_EQ(startup_packet_size(ByteView("\x16\x03\x01\x02", 4)), invalid_size) << "a TLS hello";
}

TEST(StartupPacket, parameters_come_in_the_order_sent) {
    const Bytes bytes = client::startup({{"user", "a"}, {"database", ""}, {"user", "b"}});
    const StartupPacket packet = read_startup_packet(bytes);
    const auto& message = std::get<StartupMessage>(packet);
    EXPECT_EQ(message.major, 3);
    EXPECT_EQ(message.minor, 0);
    EXPECT_EQ(message.parameters, (Parameters{{"user", "a"}, {"database", ""}, {"user", "b"}}));
}

TEST(StartupPacket, minor_versions_are_told) {
    const Bytes bytes = client::startup({{"user", "a"}}, 3 << 16 | 2);
    EXPECT_EQ(std::get<StartupMessage>(read_startup_packet(bytes)).minor, 2);
    const Bytes newest = client::startup({{"user", "a"}}, 3 << 16 | 9999);
    EXPECT_EQ(std::get<StartupMessage>(read_startup_packet(newest)).minor, 9999);
}

TEST(StartupPacket, other_protocols_are_unsupported) {
    for (const auto& [version, major, minor] : std::vector<std::tuple<std::uint32_t, int, int>>{
             {2 << 16, 2, 0}, {4 << 16, 4, 0}, {0, 0, 0}, {0x04D20000, 1234, 0}}) {
        const Bytes bytes = client::packet(version, "whatever");
        const auto protocol = std::get<UnsupportedProtocol>(read_startup_packet(bytes));
        EXPECT_EQ(protocol.major, major);
        EXPECT_EQ(protocol.minor, minor);
    }
}

TEST(StartupPacket, layout_is_checked_as_postgresql_does) {
    EXPECT_TRUE(has_invalid_layout(""));
    EXPECT_TRUE(has_invalid_layout("user"));
    EXPECT_TRUE(has_invalid_layout(ByteView("user\0", 5))) << "a key without value";
    EXPECT_TRUE(has_invalid_layout(ByteView("user\0u", 6)));
    EXPECT_TRUE(has_invalid_layout(ByteView("user\0u\0", 7))) << "no terminator";
    EXPECT_TRUE(has_invalid_layout(ByteView("user\0u\0\0x", 9))) << "bytes behind the terminator";
    EXPECT_TRUE(has_invalid_layout(ByteView("user\0u\0\0\0", 9)));
    EXPECT_TRUE(has_invalid_layout(ByteView("\0\0", 2)));
    EXPECT_FALSE(has_invalid_layout(ByteView("user\0u\0\0", 8)));
    EXPECT_FALSE(has_invalid_layout(ByteView("\0", 1))) << "no parameters: refused later, for want of a user";
}

TEST(StartupPacket, every_cut_of_the_body_is_refused) {
    const Bytes body("user\0u\0database\0d\0\0", 19);
    for (const ByteView prefix : test::every_prefix(body)) EXPECT_TRUE(has_invalid_layout(prefix)) << prefix.size();
}

TEST(StartupPacket, requests_are_told_apart) {
    EXPECT_TRUE(std::holds_alternative<SslRequest>(read_startup_packet(client::ssl_request())));
    EXPECT_TRUE(std::holds_alternative<GssEncRequest>(read_startup_packet(client::gss_enc_request())));
    const auto protocol = std::get<UnsupportedProtocol>(read_startup_packet(client::packet(80877103, "x")));
    EXPECT_EQ(protocol.major, 1234) << "an SSLRequest of another length is none";
    EXPECT_EQ(protocol.minor, 5679);
}

TEST(StartupPacket, cancel_requests_carry_4_to_256_bytes) {
    for (const std::size_t size : {std::size_t{4}, std::size_t{32}, std::size_t{256}}) {
        const Bytes secret(size, '\xA5');
        const Bytes bytes = client::cancel_request(-7, secret);
        const StartupPacket packet = read_startup_packet(bytes);
        const auto& request = std::get<CancelRequest>(packet);
        EXPECT_EQ(request.process_id, -7);
        EXPECT_EQ(request.secret, secret);
    }
    for (const std::size_t size : {std::size_t{0}, std::size_t{3}, std::size_t{257}}) {
        const Bytes bytes = client::cancel_request(7, Bytes(size, 'x'));
        EXPECT_EQ(std::get<StartupError>(read_startup_packet(bytes)), StartupError::invalid_length) << size;
    }
    EXPECT_EQ(std::get<StartupError>(read_startup_packet(client::packet(80877102, "ab"))),
              StartupError::invalid_length);
}

TEST(StartupPacket, never_has_a_setting_that_reads_as_an_option_of_the_protocol) {
    Bytes out;
    const ByteView value = "a b\\c\t";
    write_startup_message(out, {{"user", "u"}, {"_pq_.x", value}, {"work_mem", "1MB"}, {"_pq_.y", ""}});
    const auto message = std::get<StartupMessage>(read_startup_packet(out));
    ASSERT_EQ(message.parameters.size(), 3U);
    EXPECT_EQ(message.parameters[1].first, "work_mem");
    EXPECT_EQ(message.parameters[2].first, "options");
    const auto settings = std::get<std::vector<Setting>>(read_options(message.parameters[2].second));
    EXPECT_EQ(settings, (std::vector<Setting>{{"_pq_.x", std::string(value)}, {"_pq_.y", ""}}));
}

TEST(StartupPacket, is_written) {
    Bytes out;
    write_startup_message(out, {{"user", "u"}, {"database", "d"}});
    EXPECT_EQ(out, client::startup({{"user", "u"}, {"database", "d"}}));
    out.clear();
    write_ssl_request(out);
    EXPECT_EQ(out, client::ssl_request());
    out.clear();
    write_cancel_request(out, 4711, "key!");
    EXPECT_EQ(out, client::cancel_request(4711, "key!"));
}

}  // namespace pgsluice::wire
