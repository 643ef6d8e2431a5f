#include <pgsluice/base/address.hpp>

#include <gtest/gtest.h>

namespace pgsluice {
namespace {

bool contains(const char* network, const char* address) {
    return Network::parse(network).value().contains(Address::parse(address).value());
}

}  // namespace

TEST(Address, reads_and_prints_both_families) {
    for (const char* text : {"10.0.0.1", "255.255.255.255", "::1", "fe80::1", "2001:db8::ff00:42:8329"}) {
        const auto address = Address::parse(text);
        ASSERT_TRUE(address) << text;
        EXPECT_EQ(address->to_string(), text);
    }
    EXPECT_EQ(Address{}.to_string(), "[local]");
    EXPECT_EQ(Address::parse("2001:DB8:0:0::1")->to_string(), "2001:db8::1");
}

TEST(Address, refuses_what_is_none) {
    for (const char* text : {"", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.1 ", "localhost", "::g", "1::2::3",
                             "10.0.0.1:5432", "[::1]", "fe80::1%eth0", "unix"}) {
        EXPECT_FALSE(Address::parse(text)) << text;
    }
    EXPECT_FALSE(Address::parse(std::string_view("10.0.0.1\0x", 10))) << "nothing hides behind a NUL";
}

TEST(Address, a_mapped_address_is_its_ipv4_address) {
    EXPECT_EQ(Address::parse("::ffff:10.0.0.1"), Address::parse("10.0.0.1"));
    EXPECT_EQ(Address::parse("::ffff:10.0.0.1")->to_string(), "10.0.0.1");
    EXPECT_EQ(Address::parse("::10.0.0.1")->family, Address::Family::ipv6) << "compatible is not mapped";
}

TEST(Address, a_subscriber_has_an_ipv4_address_or_64_bits_of_ipv6) {
    const auto of = [](const char* text) { return Address::parse(text)->subscriber().to_string(); };
    EXPECT_EQ(of("10.0.0.1"), "10.0.0.1");
    EXPECT_EQ(of("::ffff:10.0.0.1"), "10.0.0.1");
    EXPECT_EQ(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    EXPECT_EQ(of("::1"), "::");
    EXPECT_EQ(Address{}.subscriber(), Address{});
    Address with_port = Address::parse("10.0.0.1").value();
    with_port.port = 5432;
    EXPECT_EQ(with_port.subscriber(), Address::parse("10.0.0.1")) << "each connection has another port";
}

TEST(Network, takes_addresses_by_prefix) {
    EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
    EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
    EXPECT_TRUE(contains("192.168.1.128/25", "192.168.1.200"));
    EXPECT_FALSE(contains("192.168.1.128/25", "192.168.1.127"));
    EXPECT_TRUE(contains("0.0.0.0/0", "8.8.8.8"));
    EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
    EXPECT_TRUE(contains("::/0", "2001:db8::1"));
    EXPECT_FALSE(contains("::/0", "8.8.8.8"));
    EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
    EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
    EXPECT_TRUE(contains("10.0.0.1", "10.0.0.1"));
    EXPECT_FALSE(contains("10.0.0.1", "10.0.0.2"));
    EXPECT_TRUE(contains("::1/128", "::1"));
}

TEST(Network, bits_behind_the_prefix_do_not_matter) {
    EXPECT_TRUE(contains("10.1.2.3/8", "10.9.9.9"));
}

TEST(Network, unix_takes_unix_sockets_only) {
    const Network unix_sockets = Network::parse("unix").value();
    EXPECT_TRUE(unix_sockets.contains(Address{}));
    EXPECT_FALSE(unix_sockets.contains(Address::parse("127.0.0.1").value()));
    EXPECT_FALSE(Network::parse("0.0.0.0/0")->contains(Address{}));
    EXPECT_EQ(unix_sockets.to_string(), "unix");
}

TEST(Network, nobody_takes_who_is_unknown) {
    Address unknown;
    unknown.family = Address::Family::unknown;
    for (const char* network : {"unix", "0.0.0.0/0", "::/0"})
        EXPECT_FALSE(Network::parse(network)->contains(unknown)) << network;
    EXPECT_EQ(unknown.to_string(), "[unknown]");
}

TEST(Network, a_mapped_network_is_an_ipv4_network) {
    EXPECT_TRUE(contains("::ffff:10.0.0.0/104", "10.1.2.3"));
    EXPECT_FALSE(contains("::ffff:10.0.0.0/104", "11.1.2.3"));
    EXPECT_FALSE(Network::parse("::ffff:10.0.0.0/8")) << "a prefix inside the mapping names no IPv4 network";
}

TEST(Network, refuses_what_is_none) {
    for (const char* text :
         {"", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/+8", "10.0.0.0/ 8",
          "10.0.0.0/8/8", "unix/8", "10.0.0.0/99999999999", "host/8"}) {
        EXPECT_FALSE(Network::parse(text)) << text;
    }
}

TEST(Network, prints_in_cidr_form) {
    EXPECT_EQ(Network::parse("10.0.0.0/8")->to_string(), "10.0.0.0/8");
    EXPECT_EQ(Network::parse("10.0.0.1")->to_string(), "10.0.0.1/32");
    EXPECT_EQ(Network::parse("::1")->to_string(), "::1/128");
}

}  // namespace pgsluice
