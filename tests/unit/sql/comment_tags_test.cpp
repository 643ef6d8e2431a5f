#include <pgsluice/sql/comment_tags.hpp>

#include <gtest/gtest.h>

namespace pgsluice::sql {
namespace {

std::string shown(ByteView text) {
    std::string out;
    for (const CommentTag& tag : comment_tags(text)) out += '[' + tag.key + '=' + tag.value + ']';
    return out;
}

}  // namespace

TEST(CommentTags, stand_in_a_comment_at_the_end_or_at_the_beginning) {
    EXPECT_EQ(shown("select 1 /*action='pay',route='%2Fcart'*/"), "[action=pay][route=/cart]");
    EXPECT_EQ(shown("select 1 /*action='pay'*/ ;\n"), "[action=pay]");
    EXPECT_EQ(shown("/*action='pay'*/ select 1"), "[action=pay]");
    EXPECT_EQ(shown("/*a='first'*/ select 1 /*a='last'*/"), "[a=last]");
    EXPECT_EQ(shown("select /*a='b'*/ 1"), "");
}

TEST(CommentTags, are_decoded) {
    EXPECT_EQ(shown("select 1 /*name='it\\'s',x%20y='a%3Db%zz%4'*/"), "[name=it's][x y=a=b%zz%4]");
    EXPECT_EQ(shown("select 1 /* a = 'b' , c = 'd' */"), "[a=b][c=d]");
}

TEST(CommentTags, that_are_not_well_formed_end_the_list) {
    EXPECT_EQ(shown("select 1 /*a='b',c*/"), "[a=b]");
    EXPECT_EQ(shown("select 1 /*a='b' c='d'*/"), "[a=b]");
    EXPECT_EQ(shown("select 1 /*a='b',c='d*/"), "[a=b]");
    EXPECT_EQ(shown("select 1 /*='b'*/"), "");
    EXPECT_EQ(shown("select 1 /*a='b\\*/"), "");
    for (const ByteView text : {"", "/", "/*", "/*/", "*/", "/**/", "select 1 */", ";", " ;", "select '/*a=''b''*/'"}) {
        EXPECT_EQ(shown(text), "") << text;
    }
}

TEST(CommentTags, are_bounded) {
    std::string text = "select 1 /*";
    for (int i = 0; i < 1000; ++i) text += "a='b',";
    EXPECT_EQ(comment_tags(text + "*/").size(), 32U);
}

TEST(TraceId, is_that_of_the_traceparent) {
    const auto of = [](const std::string& value) { return trace_id({{"x", "y"}, {"traceparent", value}}); };
    EXPECT_EQ(of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), "0af7651916cd43dd8448eb211c80319c");
    EXPECT_EQ(of("00-0af7651916cd43dd8448eb211c80319c"), "");
    EXPECT_EQ(of("00-0af7651916cd43dd8448eb211c8031zz-b7ad6b7169203331-01"), "");
    EXPECT_EQ(of(""), "");
    EXPECT_EQ(trace_id({}), "");
}

}  // namespace pgsluice::sql
