#include <pgsluice/base/escape.hpp>

#include <gtest/gtest.h>

namespace pgsluice {

TEST(Escaped, leaves_ordinary_text_alone) {
    EXPECT_EQ(escaped(""), "");
    EXPECT_EQ(escaped("select 'a' from \"b\""), "select 'a' from \"b\"");
    EXPECT_EQ(escaped("caf\xC3\xA9 \xF0\x9F\x90\x98"), "caf\xC3\xA9 \xF0\x9F\x90\x98");
}

TEST(Escaped, writes_control_characters_as_hex) {
    EXPECT_EQ(escaped("a\n\"b\x1b[31m\x7f"), "a\\x0a\"b\\x1b[31m\\x7f");
    EXPECT_EQ(escaped(std::string_view("\0\r\t", 3)), "\\x00\\x0d\\x09");
}

TEST(Escaped, doubles_backslashes_so_that_it_can_be_undone) {
    EXPECT_EQ(escaped("\\x0a"), "\\\\x0a");
}

TEST(Escaped, never_passes_a_byte_that_is_not_utf8) {
    EXPECT_EQ(escaped("\xFF\xC3"), "\\xff\\xc3");
    EXPECT_EQ(escaped("\xC0\xAF"), "\\xc0\\xaf") << "overlong";
    EXPECT_EQ(escaped("\xED\xA0\x80"), "\\xed\\xa0\\x80") << "surrogate";
}

// U+0080 to U+009F are control characters too: a terminal reads C2 9B as the start of a control sequence.
TEST(Escaped, writes_c1_control_characters_as_hex) {
    EXPECT_EQ(escaped("\xC2\x9B"
                      "31m\xC2\x80\xC2\xA0"),
              "\\xc2\\x9b31m\\xc2\\x80\xC2\xA0");
}

// Some readers of lines end one at U+2028, and a turned direction shows another line than the one that is there.
TEST(Escaped, writes_separators_and_turns_of_direction_as_hex) {
    EXPECT_EQ(escaped("a\xE2\x80\xA8"
                      "b\xE2\x80\xA9\xE2\x80\xAE\xE2\x81\xA6"),
              "a\\xe2\\x80\\xa8b\\xe2\\x80\\xa9\\xe2\\x80\\xae\\xe2\\x81\\xa6");
    EXPECT_EQ(escaped("\xE2\x80\xA7\xE2\x80\xAF\xE2\x81\xAA"), "\xE2\x80\xA7\xE2\x80\xAF\xE2\x81\xAA");
}

TEST(Escaped, gives_one_line_of_valid_utf8_for_every_pair_of_bytes) {
    for (int first = 0; first < 256; ++first) {
        for (int second = 0; second < 256; ++second) {
            const char pair[] = {static_cast<char>(first), static_cast<char>(second)};
            std::string out = escaped(std::string_view(pair, 2));
            for (std::string_view rest = out; !rest.empty();) {
                const std::size_t length = utf8_sequence_length(rest);
                ASSERT_GT(length, 0U);
                ASSERT_GE(static_cast<unsigned char>(rest[0]), 0x20);
                rest.remove_prefix(length);
            }
        }
    }
}

TEST(Escaped, cuts_what_is_too_long) {
    EXPECT_EQ(escaped("abcdef", 3), "abc...");
    EXPECT_EQ(escaped("abc", 3), "abc");
    EXPECT_EQ(escaped("\xC3\xA9\xC3\xA9", 2), "\xC3\xA9...") << "never inside a character";
    EXPECT_LE(escaped(std::string(1 << 20, '\x01')).size(), 1024U + 8);
}

TEST(InOneLine, leaves_what_is_escaped_already) {
    EXPECT_EQ(in_one_line("C:\\dir \\x0a caf\xC3\xA9"), "C:\\dir \\x0a caf\xC3\xA9");
    EXPECT_EQ(in_one_line("a\nb\x1B\xFF\xE2\x80\xA8"), "a\\x0ab\\x1b\\xff\\xe2\\x80\\xa8");
    EXPECT_EQ(in_one_line(std::string(5000, 'x')).size(), 5000U);
}

TEST(Utf8SequenceLength, follows_rfc_3629) {
    EXPECT_EQ(utf8_sequence_length(""), 0U);
    EXPECT_EQ(utf8_sequence_length("a"), 1U);
    EXPECT_EQ(utf8_sequence_length("\xC2\x80"), 2U);
    EXPECT_EQ(utf8_sequence_length("\xDF\xBF"), 2U);
    EXPECT_EQ(utf8_sequence_length("\xE0\xA0\x80"), 3U);
    EXPECT_EQ(utf8_sequence_length("\xED\x9F\xBF"), 3U);
    EXPECT_EQ(utf8_sequence_length("\xEF\xBF\xBF"), 3U);
    EXPECT_EQ(utf8_sequence_length("\xF0\x90\x80\x80"), 4U);
    EXPECT_EQ(utf8_sequence_length("\xF4\x8F\xBF\xBF"), 4U);
    for (const char* wrong :
         {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE1\x80",
          "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
        EXPECT_EQ(utf8_sequence_length(wrong), 0U) << escaped(wrong);
    }
}

}  // namespace pgsluice
