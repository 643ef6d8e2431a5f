#include "key_cache.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pgsluice::daemon {
namespace {

auth::Derivation wanted(const std::string& password = "secret", Bytes salt = "salt", std::uint32_t iterations = 4096) {
    return {Secret(password), std::move(salt), iterations};
}
auth::ScramKeys keys(const std::string& client, const std::string& server = "server key") {
    return {Secret(client), Secret(server)};
}
std::string found(const KeyCache& cache, const auth::Derivation& derivation) {
    const auto known = cache.find(derivation);
    return known ? std::string(known->client_key.reveal()) + '/' + std::string(known->server_key.reveal()) : "(none)";
}

TEST(KeyCache, finds_what_was_derived_before) {
    KeyCache cache;
    EXPECT_EQ(found(cache, wanted()), "(none)");
    cache.add(wanted(), keys("client key"));
    EXPECT_EQ(found(cache, wanted()), "client key/server key");
}

TEST(KeyCache, password_salt_and_iterations_tell_keys_apart) {
    KeyCache cache;
    cache.add(wanted(), keys("client key"));
    EXPECT_EQ(found(cache, wanted("Secret")), "(none)");
    EXPECT_EQ(found(cache, wanted("secret", "Salt")), "(none)");
    EXPECT_EQ(found(cache, wanted("secret", "salt", 4097)), "(none)");
}

// Else another password with another salt would be let in with the keys of the first.
TEST(KeyCache, one_part_never_runs_into_the_next) {
    KeyCache cache;
    cache.add(wanted("secret", "salt", 4096), keys("client key"));
    EXPECT_EQ(found(cache, wanted("tsecret", "sal", 4096)), "(none)");
    EXPECT_EQ(found(cache, wanted("ecret", "salts", 4096)), "(none)");
    cache.add(wanted("2/ab", "", 1), keys("client key"));
    EXPECT_EQ(found(cache, wanted("", "2/ab", 1)), "(none)");
    EXPECT_EQ(found(cache, wanted("/ab", "2", 1)), "(none)");
    EXPECT_EQ(found(cache, wanted("ab", "", 10)), "(none)");
}

TEST(KeyCache, salts_and_passwords_may_hold_any_byte) {
    KeyCache cache;
    const std::string password("a\0b", 3);
    cache.add(wanted(password, Bytes("\0\xFF", 2)), keys("client key"));
    EXPECT_EQ(found(cache, wanted(password, Bytes("\0\xFF", 2))), "client key/server key");
    EXPECT_EQ(found(cache, wanted("a", Bytes("\0\xFF", 2))), "(none)");
    EXPECT_EQ(found(cache, wanted(password, Bytes("\0", 1))), "(none)");
}

TEST(KeyCache, keeps_the_newest_keys) {
    KeyCache cache;
    cache.add(wanted(), keys("old"));
    cache.add(wanted(), keys("new"));
    EXPECT_EQ(found(cache, wanted()), "new/server key");
}

TEST(KeyCache, is_bounded_and_starts_over_when_full) {
    KeyCache cache;
    for (std::size_t i = 0; i < KeyCache::limit; ++i) cache.add(wanted(std::to_string(i)), keys("client key"));
    EXPECT_NE(found(cache, wanted("0")), "(none)");
    cache.add(wanted("one more"), keys("client key"));
    EXPECT_EQ(found(cache, wanted("0")), "(none)");
    EXPECT_NE(found(cache, wanted("one more")), "(none)");
}

}  // namespace
}  // namespace pgsluice::daemon
