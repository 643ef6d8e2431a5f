#include <pgsluice/pool/claims.hpp>
#include <pgsluice/pool/share.hpp>

#include <gtest/gtest.h>

namespace pgsluice::pool {
namespace {

constexpr TimePoint at(int milliseconds) {
    return TimePoint{} + Milliseconds(milliseconds);
}

class ClaimsTest : public testing::Test {
  protected:
    void enter(const Share& share, int since, const char* key, WorkerIndex worker = WorkerIndex{0}) {
        claims.enter({&share, worker, at(since), key});
    }
    std::string taken(const Share* self, TimePoint since) {
        const auto claim = claims.take(self, since);
        return claim ? claim->key : "none";
    }

    std::shared_ptr<Permits> permits = std::make_shared<Permits>(1);
    Share one{2, permits}, other{2, permits}, third{2, permits};
    Claims claims;
};

TEST_F(ClaimsTest, are_taken_in_the_order_of_the_waits) {
    enter(one, 20, "one");
    enter(other, 10, "other");
    EXPECT_EQ(taken(&third, never), "other");
    EXPECT_EQ(taken(&third, never), "one");
    EXPECT_FALSE(claims.any());
    EXPECT_EQ(taken(&third, never), "none");
}

TEST_F(ClaimsTest, of_those_that_have_waited_no_longer_than_the_asker_stay) {
    enter(one, 20, "one");
    EXPECT_EQ(taken(&third, at(20)), "none");
    EXPECT_TRUE(claims.any());
    EXPECT_EQ(taken(&third, at(21)), "one");
}

TEST_F(ClaimsTest, are_not_taken_by_the_same_pool_on_any_worker) {
    enter(one, 10, "here", WorkerIndex{0});
    enter(one, 20, "there", WorkerIndex{1});
    EXPECT_EQ(taken(&one, never), "none");
    EXPECT_EQ(taken(&other, never), "here");
    EXPECT_EQ(taken(&other, never), "there");
}

TEST_F(ClaimsTest, are_one_for_each_pool_and_worker_the_newest) {
    enter(one, 10, "before");
    enter(one, 30, "now");
    enter(other, 20, "other");
    EXPECT_EQ(taken(&third, never), "other");
    EXPECT_EQ(taken(&third, never), "now");
    EXPECT_FALSE(claims.any());
}

TEST_F(ClaimsTest, that_are_withdrawn_leave_the_others) {
    enter(one, 10, "one", WorkerIndex{0});
    enter(one, 20, "one there", WorkerIndex{1});
    claims.withdraw(&one, WorkerIndex{0});
    claims.withdraw(&other, WorkerIndex{0});
    EXPECT_EQ(taken(&third, never), "one there");
}

}  // namespace
}  // namespace pgsluice::pool
