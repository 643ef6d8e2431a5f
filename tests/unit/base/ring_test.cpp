#include <pgsluice/base/ring.hpp>

#include <gtest/gtest.h>

#include <string>

namespace pgsluice {
namespace {

std::string text_of(const Ring<char>& ring) {
    std::string text;
    for (std::size_t i = 0; i < ring.size(); ++i) text += ring[i];
    return text;
}

TEST(Ring, is_first_in_first_out_over_any_number_of_rounds) {
    Ring<char> ring;
    for (int round = 0; round < 5; ++round) {
        for (const char c : std::string("abcdefg")) ring.push_back(c);
        std::string seen;
        while (!ring.empty()) seen += ring.pop_front();
        EXPECT_EQ(seen, "abcdefg");
    }
}

TEST(Ring, closes_the_gaps_where_elements_are_taken_out) {
    Ring<char> ring;
    for (const char c : std::string("......")) ring.push_back(c);
    while (!ring.empty()) ring.drop_front();  // so that what follows lies around the end of the array
    for (const char c : std::string("axbxcx")) ring.push_back(c);
    EXPECT_EQ(ring.erase_if([](char c) { return c == 'x'; }), 3U);
    EXPECT_EQ(text_of(ring), "abc");
    ring.push_back('d');
    EXPECT_EQ(text_of(ring), "abcd");
    EXPECT_EQ(ring.erase_if([](char) { return true; }), 4U);
    EXPECT_TRUE(ring.empty());
}

}  // namespace
}  // namespace pgsluice
