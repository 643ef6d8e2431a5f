#include <pgsluice/wire/reader.hpp>

#include <gtest/gtest.h>

namespace pgsluice::wire {

TEST(Reader, reads_network_order) {
    Reader reader(ByteView("\x01\xFF\xFE\x80\x00\x80\x00\x00\x01\x7F\xFF\xFF\xFF", 13));
    EXPECT_EQ(reader.byte(), 1);
    EXPECT_EQ(reader.int16(), -2);
    EXPECT_EQ(reader.uint16(), 0x8000);
    EXPECT_EQ(reader.int32(), static_cast<std::int32_t>(0x80000001));
    EXPECT_FALSE(reader.at_end());
    EXPECT_EQ(reader.int32(), 0x7FFFFFFF);
    EXPECT_TRUE(reader.at_end());
}

TEST(Reader, strings_end_at_their_nul) {
    Reader reader(ByteView("a\0\0bc\0", 6));
    EXPECT_EQ(reader.string(), "a");
    EXPECT_EQ(reader.string(), "");
    EXPECT_EQ(reader.remaining().size(), 3U);
    EXPECT_EQ(reader.string(), "bc");
    EXPECT_TRUE(reader.at_end());
    EXPECT_EQ(reader.string(), "");
    EXPECT_FALSE(reader.ok());
}

TEST(Reader, a_string_without_nul_fails) {
    Reader reader("abc");
    EXPECT_EQ(reader.string(), "");
    EXPECT_FALSE(reader.ok());
}

TEST(Reader, short_fields_fail) {
    for (const ByteView body : {ByteView("", 0), ByteView("\1", 1), ByteView("\1\2\3", 3)}) {
        Reader reader(body);
        EXPECT_EQ(reader.int32(), 0);
        EXPECT_FALSE(reader.ok());
        EXPECT_FALSE(reader.at_end());
    }
}

TEST(Reader, a_failure_is_for_good) {
    Reader reader("abc");
    reader.bytes(4);
    EXPECT_EQ(reader.bytes(1), "");
    EXPECT_EQ(reader.byte(), 0);
    EXPECT_EQ(reader.remaining(), "");
    EXPECT_FALSE(reader.ok());
}

TEST(Reader, lengths_from_strangers_cannot_wrap) {
    for (const std::int32_t length : {-1, -2, 0x7FFFFFFF}) {
        Reader reader("abc");
        EXPECT_EQ(reader.bytes(static_cast<std::size_t>(length)), "");
        EXPECT_FALSE(reader.ok());
    }
}

}  // namespace pgsluice::wire
