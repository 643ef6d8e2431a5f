#include <pgsluice/base/keyed_hash.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace pgsluice {
namespace {

constexpr HashSeed seed{11, 13};

std::uint64_t hash_of(ByteView first, ByteView second, HashSeed with = seed) {
    return KeyedHash(with).add(first).add(second).value();
}

TEST(KeyedHash, the_same_bytes_have_the_same_hash_and_another_under_another_seed) {
    EXPECT_EQ(hash_of("orders", "app"), hash_of("orders", "app"));
    EXPECT_NE(hash_of("orders", "app"), hash_of("orders", "app", {11, 14}));
    EXPECT_NE(hash_of("orders", "app"), hash_of("orders", "app", {12, 13}));
}

TEST(KeyedHash, where_one_part_ends_and_the_next_begins_counts) {
    EXPECT_NE(hash_of("ab", "c"), hash_of("a", "bc"));
    EXPECT_NE(hash_of("", "abc"), hash_of("abc", ""));
    EXPECT_NE(hash_of(std::string(8, 'x'), "x"), hash_of("x", std::string(8, 'x')));
}

TEST(KeyedHash, zeros_are_told_apart_by_their_number) {
    std::set<std::uint64_t> seen;
    for (std::size_t length = 0; length <= 40; ++length) seen.insert(hash_of(std::string(length, '\0'), ""));
    EXPECT_EQ(seen.size(), 41u);
}

TEST(KeyedHash, numbers_that_follow_each_other_do_not_collide) {
    std::set<std::uint64_t> seen;
    for (std::uint64_t number = 0; number < 100'000; ++number) seen.insert(KeyedHash(seed).add(number).value());
    EXPECT_EQ(seen.size(), 100'000u);
}

}  // namespace
}  // namespace pgsluice
