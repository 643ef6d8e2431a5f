#include <pgsluice/wire/writer.hpp>

#include <gtest/gtest.h>

namespace pgsluice::wire {

TEST(Writer, fills_in_the_length) {
    Bytes out;
    Writer(out).begin(FrontendTag::sync).end();
    EXPECT_EQ(out, Bytes("S\0\0\0\4", 5));
    out.clear();
    Writer(out).begin(BackendTag::ready_for_query).byte('I').end();
    EXPECT_EQ(out, Bytes("Z\0\0\0\5I", 6));
    out.clear();
    Writer(out).begin_untagged().int32(-2).end();
    EXPECT_EQ(out, Bytes("\0\0\0\x08\xFF\xFF\xFF\xFE", 8));
}

TEST(Writer, appends_and_may_be_used_again) {
    Bytes out = "before";
    Writer writer(out);
    writer.begin(FrontendTag::query).string("a").end();
    writer.begin(FrontendTag::sync).end();
    EXPECT_EQ(out, Bytes("beforeQ\0\0\0\6a\0S\0\0\0\4", 18));
}

TEST(Writer, writes_network_order) {
    Bytes out;
    Writer(out).begin_untagged().int16(-2).int16(0x0102).int32(0x01020304).end();
    EXPECT_EQ(out.substr(4), Bytes("\xFF\xFE\1\2\1\2\3\4", 8));
}

TEST(Writer, text_after_a_nul_cannot_become_another_field) {
    Bytes out;
    Writer(out).begin(FrontendTag::query).string(ByteView("a\0b", 3)).end();
    EXPECT_EQ(out, Bytes("Q\0\0\0\6a\0", 7));
}

TEST(Writer, long_messages_have_their_length) {
    Bytes out;
    Writer(out).begin(FrontendTag::copy_data).bytes(Bytes(70000, 'x')).end();
    EXPECT_EQ(out.substr(0, 5), Bytes("d\0\1\x11\x74", 5));
}

}  // namespace pgsluice::wire
