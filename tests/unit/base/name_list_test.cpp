#include <pgsluice/base/name_list.hpp>

#include <gtest/gtest.h>

namespace pgsluice {

TEST(NameList, empty_and_star_match_everything) {
    EXPECT_TRUE(matches(std::vector<std::string>{}, "a"));
    EXPECT_TRUE(matches(std::vector<std::string>{"b", "*"}, "a"));
    EXPECT_TRUE(matches(std::vector<std::string>{"*"}, ""));
}

TEST(NameList, names_match_byte_by_byte) {
    const std::vector<std::string> names{"a", "B"};
    EXPECT_TRUE(matches(names, "a"));
    EXPECT_TRUE(matches(names, "B"));
    EXPECT_FALSE(matches(names, "b"));
    EXPECT_FALSE(matches(names, "ab"));
    EXPECT_FALSE(matches(names, ""));
    EXPECT_FALSE(matches(names, "*")) << "a client that calls itself * is nobody special";
}

TEST(NameList, networks_match_any_or_all) {
    EXPECT_TRUE(matches(std::vector<Network>{}, Address{}));
    const std::vector<Network> networks{*Network::parse("10.0.0.0/8"), *Network::parse("::1")};
    EXPECT_TRUE(matches(networks, *Address::parse("::1")));
    EXPECT_TRUE(matches(networks, *Address::parse("10.9.9.9")));
    EXPECT_FALSE(matches(networks, Address{}));
}

}  // namespace pgsluice
