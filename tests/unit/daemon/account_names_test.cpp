#include "account_names.hpp"

#include <gtest/gtest.h>

namespace pgsluice::daemon {
namespace {

TEST(AccountNames, are_found_also_where_more_is_known_than_the_first_room_takes) {
    EXPECT_EQ(ask_account_name(0, 1), "root");
    EXPECT_EQ(ask_account_name(0), "root");
}

TEST(AccountNames, of_accounts_that_do_not_exist_are_none) {
    EXPECT_EQ(ask_account_name(3'999'999'999U), std::nullopt);
}

}  // namespace
}  // namespace pgsluice::daemon
