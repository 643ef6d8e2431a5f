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
    std::string offered(const Share* self, TimePoint since) {
        const auto claim = claims.offer(self, since);
        return claim ? claim->key : "none";
    }

    std::shared_ptr<Permits> permits = std::make_shared<Permits>(1);
    Share one{2, permits}, other{2, permits}, third{2, permits};
    Claims claims;
};

TEST_F(ClaimsTest, are_offered_what_comes_free_in_the_order_of_the_waits) {
    enter(one, 20, "one");
    enter(other, 10, "other");
    EXPECT_EQ(offered(&third, never), "other");
    EXPECT_EQ(offered(&third, never), "one");
    EXPECT_EQ(offered(&third, never), "none") << "once each";
}

TEST_F(ClaimsTest, stand_when_they_have_been_offered_something_until_they_are_withdrawn) {
    enter(one, 20, "one");
    EXPECT_EQ(offered(&third, never), "one");
    EXPECT_TRUE(claims.any());
    EXPECT_TRUE(claims.has_older(&third, at(21)));
    EXPECT_FALSE(claims.has_older(&third, at(20)));
    EXPECT_FALSE(claims.has_older(&one, never)) << "its own";
    claims.withdraw(&one, WorkerIndex{0});
    EXPECT_FALSE(claims.any());
    EXPECT_FALSE(claims.has_older(&third, never));
}

TEST_F(ClaimsTest, that_are_made_again_are_offered_something_again) {
    enter(one, 20, "one");
    EXPECT_EQ(offered(&third, never), "one");
    enter(one, 20, "one");
    EXPECT_EQ(offered(&third, never), "one");
}

TEST_F(ClaimsTest, that_are_renewed_go_by_the_next_wait_and_are_offered_nothing_more) {
    enter(one, 10, "one");
    EXPECT_EQ(offered(&third, never), "one");
    claims.renew(&one, WorkerIndex{0}, at(30));
    EXPECT_FALSE(claims.has_older(&third, at(30)));
    EXPECT_TRUE(claims.has_older(&third, at(31)));
    EXPECT_EQ(offered(&third, never), "none");
    claims.renew(&other, WorkerIndex{0}, at(30));
    EXPECT_FALSE(claims.has_older(&one, never)) << "there is none to renew";
}

TEST_F(ClaimsTest, of_those_that_have_waited_no_longer_than_the_asker_stay) {
    enter(one, 20, "one");
    EXPECT_EQ(offered(&third, at(20)), "none");
    EXPECT_TRUE(claims.any());
    EXPECT_EQ(offered(&third, at(21)), "one");
}

TEST_F(ClaimsTest, name_no_worker_of_the_pool_that_asks_on_any_worker) {
    enter(one, 10, "here", WorkerIndex{0});
    enter(one, 20, "there", WorkerIndex{1});
    EXPECT_EQ(offered(&one, never), "none");
    EXPECT_EQ(offered(&other, never), "here");
    EXPECT_EQ(offered(&other, never), "there");
}

TEST_F(ClaimsTest, are_one_for_each_pool_and_worker_the_newest) {
    enter(one, 10, "before");
    enter(one, 30, "now");
    enter(other, 20, "other");
    EXPECT_EQ(offered(&third, never), "other");
    EXPECT_EQ(offered(&third, never), "now");
    EXPECT_EQ(offered(&third, never), "none");
}

TEST_F(ClaimsTest, that_are_withdrawn_leave_the_others) {
    enter(one, 10, "one", WorkerIndex{0});
    enter(one, 20, "one there", WorkerIndex{1});
    claims.withdraw(&one, WorkerIndex{0});
    claims.withdraw(&other, WorkerIndex{0});
    EXPECT_EQ(offered(&third, never), "one there");
}

}  // namespace
}  // namespace pgsluice::pool
