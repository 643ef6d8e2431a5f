#include <pgsluice/insight/query_text.hpp>

#include <gtest/gtest.h>

namespace pgsluice::insight {
namespace {

TEST(FingerprintText, has_sixteen_digits_always) {
    EXPECT_EQ(FingerprintText(0).view(), "0000000000000000");
    EXPECT_EQ(FingerprintText(0x50fde20626009aba).view(), "50fde20626009aba");
    EXPECT_EQ(FingerprintText(0xfedcba9876543210).view(), "fedcba9876543210");
    EXPECT_EQ(FingerprintText(0x1f).view(), "000000000000001f");
}

}  // namespace
}  // namespace pgsluice::insight
