#include <pgsluice/base/ids.hpp>

#include <gtest/gtest.h>

namespace pgsluice {

static_assert(!std::is_convertible_v<SessionId, ServerId>, "one id must not be taken for another");
static_assert(!std::is_convertible_v<std::uint64_t, SessionId>);

TEST(Ids, give_their_number) {
    EXPECT_EQ(number(SessionId{7}), 7U);
    EXPECT_EQ(number(WorkerIndex{3}), 3U);
}

}  // namespace pgsluice
