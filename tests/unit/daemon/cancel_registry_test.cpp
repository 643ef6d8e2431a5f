#include "cancel_registry.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgsluice::daemon {
namespace {

class CancelRegistryTest : public testing::Test {
  protected:
    void add(std::int32_t process_id, ByteView secret, unsigned worker, std::uint64_t session) {
        registry.add(process_id, secret, {static_cast<WorkerIndex>(worker), SessionId{session}});
    }
    // "worker/session", or "" where the key is nobody's.
    std::string find(std::int32_t process_id, ByteView secret) const {
        const auto owner = registry.find(process_id, secret);
        return owner ? std::to_string(number(owner->worker)) + '/' + std::to_string(number(owner->session)) : "";
    }

    CancelRegistry registry;
};

TEST_F(CancelRegistryTest, a_key_finds_its_session_and_worker) {
    add(7, "abcd", 1, 10);
    add(8, "abcd", 2, 11);
    EXPECT_EQ(find(7, "abcd"), "1/10");
    EXPECT_EQ(find(8, "abcd"), "2/11");
}

TEST_F(CancelRegistryTest, tells_keys_of_which_only_the_secret_is_one) {
    registry.add(7, "abcd", {WorkerIndex{1}, SessionId{10}, true});
    add(8, "abcd", 1, 11);
    EXPECT_TRUE(registry.find(7, "abcd")->is_guessable);
    EXPECT_FALSE(registry.find(8, "abcd")->is_guessable);
}

TEST_F(CancelRegistryTest, half_a_key_finds_nobody) {
    add(7, "abcd", 1, 10);
    EXPECT_EQ(find(9, "abcd"), "");
    for (const ByteView secret : {ByteView("abce"), ByteView("abc"), ByteView("abcde"), ByteView()}) {
        EXPECT_EQ(find(7, secret), "") << secret;
    }
}

TEST_F(CancelRegistryTest, process_ids_may_be_any_number) {
    for (const std::int32_t process_id : {0, -1, 2147483647}) {
        add(process_id, "abcd", 1, 10);
        EXPECT_EQ(find(process_id, "abcd"), "1/10");
    }
}

TEST_F(CancelRegistryTest, secrets_tell_sessions_of_one_process_id_apart) {
    add(7, "abcd", 1, 10);
    add(7, "efgh", 2, 11);
    EXPECT_EQ(find(7, "abcd"), "1/10");
    EXPECT_EQ(find(7, "efgh"), "2/11");
    EXPECT_EQ(find(7, "ijkl"), "");
}

TEST_F(CancelRegistryTest, a_session_that_has_ended_is_found_no_more_and_others_stay) {
    add(7, "abcd", 1, 10);
    add(7, "efgh", 1, 11);
    add(8, "abcd", 1, 12);
    EXPECT_EQ(registry.size(), 3U);
    registry.remove(7, SessionId{10});
    EXPECT_EQ(find(7, "abcd"), "");
    EXPECT_EQ(find(7, "efgh"), "1/11");
    EXPECT_EQ(find(8, "abcd"), "1/12");
    EXPECT_EQ(registry.size(), 2U);
}

TEST_F(CancelRegistryTest, nobody_takes_away_the_key_of_another) {
    add(7, "abcd", 1, 10);
    registry.remove(7, SessionId{11});
    registry.remove(8, SessionId{10});
    EXPECT_EQ(find(7, "abcd"), "1/10");
    EXPECT_EQ(registry.size(), 1U);
}

}  // namespace
}  // namespace pgsluice::daemon
