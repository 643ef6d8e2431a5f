#include <pgsluice/base/secret.hpp>

#include <gtest/gtest.h>

namespace pgsluice {

TEST(Secret, compares_by_content) {
    EXPECT_EQ(Secret("hunter2"), Secret("hunter2"));
    EXPECT_FALSE(Secret("hunter2") == Secret("hunter3"));
    EXPECT_FALSE(Secret("hunter2") == Secret("hunter22"));
}

TEST(Secret, leaves_nothing_in_the_object_it_is_moved_from) {
    Secret source("short");
    const Secret target(std::move(source));
    EXPECT_EQ(target.reveal(), "short");
    EXPECT_TRUE(source.empty());  // NOLINT(bugprone-use-after-move): the claim under test
}

}  // namespace pgsluice
