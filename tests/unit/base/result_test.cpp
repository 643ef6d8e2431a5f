#include <pgsluice/base/result.hpp>

#include <gtest/gtest.h>

namespace pgsluice {
namespace {

Result<int> half(int value) {
    if (value % 2 != 0) return boost::system::errc::make_error_code(boost::system::errc::invalid_argument);
    return value / 2;
}
Result<int> quarter(int value) {
    const Result<int> first = half(value);
    if (!first) return first.error();
    return half(*first);
}

}  // namespace

TEST(Result, holds_a_value_or_says_why_not) {
    EXPECT_EQ(quarter(8).value(), 2);
    EXPECT_TRUE(quarter(8).has_value());
    EXPECT_EQ(quarter(6).error(), boost::system::errc::invalid_argument);
    EXPECT_THROW(quarter(6).value(), boost::system::system_error);
}

}  // namespace pgsluice
