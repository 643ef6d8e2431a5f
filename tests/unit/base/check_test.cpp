#include <pgsluice/base/check.hpp>

#include <gtest/gtest.h>

namespace pgsluice {

TEST(CheckDeathTest, a_broken_invariant_ends_the_process_and_names_itself) {
    PGSLUICE_CHECK(1 + 1 == 2);
    EXPECT_DEATH(PGSLUICE_CHECK(1 + 1 == 3), "check_test.cpp:.*1 \\+ 1 == 3");
}

}  // namespace pgsluice
