#include <pgsluice/base/siphash.hpp>

#include <gtest/gtest.h>

#include <utility>

namespace pgsluice {
namespace {

// The key and the inputs of the reference: bytes that count up from zero.
constexpr SipKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};

std::string counting(std::size_t size) {
    std::string bytes;
    for (std::size_t at = 0; at < size; ++at) bytes += static_cast<char>(at);
    return bytes;
}

// The values of SipHash-2-4 are the reference's own; those of 1-3 are OpenSSL's for the same inputs.
TEST(SipHash, is_that_of_the_reference) {
    const std::pair<std::size_t, std::uint64_t> vectors[] = {
        {0, 0x726fdb47dd0e0e31},  {1, 0x74f839c593dc67fd},  {7, 0xab0200f58b01d137},
        {8, 0x93f5f5799a932462},  {9, 0x9e0082df0ba9e4b0},  {15, 0xa129ca6149be45e5},
        {16, 0x3f2acc7f57c29bdb}, {33, 0xa7f32346f95978e3}, {63, 0x958a324ceb064572}};
    for (const auto& [size, expected] : vectors) EXPECT_EQ((siphash<2, 4>(key, counting(size))), expected) << size;
}

TEST(SipHash, of_fewer_rounds_is_that_of_other_implementations) {
    const std::pair<std::size_t, std::uint64_t> vectors[] = {
        {0, 0xabac0158050fc4dc},  {1, 0xc9f49bf37d57ca93},  {7, 0xd3927d989bb11140},
        {8, 0x369095118d299a8e},  {9, 0x25a48eb36c063de4},  {15, 0xd320d86d2a519956},
        {16, 0xcc4fdd1a7d908b66}, {33, 0x4d54b9e57a8ff9bf}, {63, 0x9d199062b7bbb3a8}};
    for (const auto& [size, expected] : vectors) EXPECT_EQ(siphash(key, counting(size)), expected) << size;
}

TEST(SipHash, differs_by_its_key) {
    EXPECT_NE(siphash({1, 2}, "select 1"), siphash({1, 3}, "select 1"));
    EXPECT_NE(siphash({1, 2}, "select 1"), siphash({2, 2}, "select 1"));
}

}  // namespace
}  // namespace pgsluice
