#include "suggest.hpp"

#include <gtest/gtest.h>

namespace pgsluice::config {
namespace {

TEST(Suggest, FindsTypingErrors) {
    const std::vector<std::string> known{"address", "port", "tls", "query_wait_timeout"};
    EXPECT_EQ(nearest("adress", known), "address");
    EXPECT_EQ(nearest("prot", known), "port");
    EXPECT_EQ(nearest("ports", known), "port");
    EXPECT_EQ(nearest("tsl", known), "tls");
    EXPECT_EQ(nearest("query-wait-timeout", known), "query_wait_timeout");
}

TEST(Suggest, IsSilentWhereNothingIsNear) {
    const std::vector<std::string> known{"port", "tls"};
    EXPECT_EQ(nearest("colour", known), "");
    EXPECT_EQ(nearest("", known), "");
    EXPECT_EQ(nearest("abc", known), "");
    EXPECT_EQ(nearest(std::string(100000, 'p'), known), "");
    EXPECT_EQ(suggestion("colour", known), "; allowed is port or tls");
    EXPECT_EQ(suggestion("prot", known), ", did you mean \"port\"?");
}

TEST(Suggest, ListsWords) {
    EXPECT_EQ(one_of({}), "");
    EXPECT_EQ(one_of({"a"}), "a");
    EXPECT_EQ(one_of({"a", "b", "c"}), "a, b or c");
}

}  // namespace
}  // namespace pgsluice::config
