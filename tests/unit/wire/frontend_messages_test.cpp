#include <pgsluice/wire/frame.hpp>
#include <pgsluice/wire/frontend_messages.hpp>

#include <gtest/gtest.h>
#include <support/messages.hpp>
#include <support/splits.hpp>

namespace pgsluice::wire {
namespace {

namespace client = test::client;

ByteView body(const Bytes& message) {
    return ByteView(message).substr(header_bytes);
}
// True where every shorter body, and the body with one byte more, is refused.
template <class Read>
bool takes_this_length_only(const Bytes& message, Read read) {
    for (const ByteView prefix : test::every_prefix(body(message))) {
        if (read(prefix)) return false;
    }
    return read(body(message)) && !read(Bytes(body(message)) + 'x') && !read(Bytes(body(message)) + '\0');
}
Bytes written(auto write, auto... arguments) {
    Bytes out;
    write(out, arguments...);
    return out;
}

}  // namespace

TEST(Query, is_read_and_written) {
    const Bytes message = client::query("select 1");
    EXPECT_EQ(read_query(body(message))->text, "select 1");
    EXPECT_EQ(read_query(body(client::query("")))->text, "");
    EXPECT_EQ(statement_text(FrontendTag::query, body(message)), "select 1");
    EXPECT_EQ(statement_text(FrontendTag::query, "no end"), "");
    EXPECT_TRUE(takes_this_length_only(message, read_query));
    EXPECT_EQ(written(write_query, "select 1"), message);
}

TEST(Parse, is_read_and_written) {
    const Bytes message = client::parse("s1", "select $1", {23, 25});
    const auto parse = read_parse(body(message));
    ASSERT_TRUE(parse);
    EXPECT_EQ(parse->statement, "s1");
    EXPECT_EQ(parse->text, "select $1");
    EXPECT_EQ(parse->parameter_types, ByteView("\0\2\0\0\0\x17\0\0\0\x19", 10));
    EXPECT_TRUE(takes_this_length_only(message, read_parse));
    EXPECT_EQ(written(write_parse, "s1", "select $1", parse->parameter_types), message);
    EXPECT_EQ(written(write_parse, "", "select 1", no_parameter_types), client::parse("", "select 1"));
}

TEST(Parse, number_of_types_must_be_true) {
    const auto with_types = [](ByteView types) { return read_parse(Bytes("\0x\0", 3).append(types)).has_value(); };
    EXPECT_TRUE(with_types(ByteView("\0\0", 2)));
    EXPECT_FALSE(with_types(ByteView("\0\1", 2)));
    EXPECT_FALSE(with_types(ByteView("\0\1\0\0\0", 5)));
    EXPECT_FALSE(with_types(ByteView("\0\0\0\0\0\0", 6)));
    EXPECT_FALSE(with_types("\xFF\xFF"));
}

// PostgreSQL 15 takes 65,535; drivers that insert in batches use them.
TEST(Parse, takes_as_many_types_as_postgresql) {
    const auto with_count = [](std::size_t count) {
        Bytes message("\0x\0", 3);
        message += static_cast<char>(count >> 8);
        message += static_cast<char>(count);
        return read_parse(message.append(4 * count, '\0')).has_value();
    };
    EXPECT_TRUE(with_count(0x7FFF));
    EXPECT_TRUE(with_count(0x8000));
    EXPECT_TRUE(with_count(0xFFFF));
}

TEST(Bind, names_are_read_and_the_rest_is_kept) {
    const Bytes message = client::bind("p", "s1", {"x", std::nullopt});
    const auto bind = read_bind(body(message));
    ASSERT_TRUE(bind);
    EXPECT_EQ(bind->portal, "p");
    EXPECT_EQ(bind->statement, "s1");
    EXPECT_EQ(bind->rest, body(message).substr(5));
    EXPECT_FALSE(read_bind(""));
    EXPECT_FALSE(read_bind(ByteView("p\0s", 3)));
    EXPECT_TRUE(read_bind(ByteView("p\0\0", 3)));
}

TEST(Bind, is_written_with_text_values) {
    const std::vector<ByteView> values{"x", ""};
    EXPECT_EQ(written(write_bind, "p", "s1", std::span<const ByteView>(values)), client::bind("p", "s1", {"x", ""}));
}

TEST(Bind, moves_to_another_name_without_touching_the_values) {
    const Bytes message = client::bind("", "mine", {"x"});
    const auto bind = read_bind(body(message));
    ASSERT_TRUE(bind);
    EXPECT_EQ(written(write_bind_front, bind->portal, "a_longer_name", bind->rest.size()).append(bind->rest),
              client::bind("", "a_longer_name", {"x"}));
}

TEST(Target, is_read_and_written) {
    const Bytes message = client::describe_statement("s1");
    EXPECT_EQ(read_target(body(message))->kind, 'S');
    EXPECT_EQ(read_target(body(message))->name, "s1");
    EXPECT_EQ(read_target(body(client::close_portal()))->kind, 'P');
    EXPECT_TRUE(takes_this_length_only(message, read_target));
    EXPECT_FALSE(read_target(ByteView("X\0", 2)));
    EXPECT_FALSE(read_target(ByteView("\0\0", 2)));
    EXPECT_EQ(written(write_target, FrontendTag::close, 'S', "s1"), client::close_statement("s1"));
}

TEST(FrontendMessages, the_others_are_written) {
    EXPECT_EQ(written(write_execute, "p", 100), client::execute("p", 100));
    EXPECT_EQ(written([](Bytes& out) { write_empty(out, FrontendTag::sync); }), client::sync());
    EXPECT_EQ(written([](Bytes& out) { write_empty(out, FrontendTag::terminate); }), client::terminate());
    EXPECT_EQ(written(write_password, ByteView("secret\0", 7)), client::password("secret"));
    EXPECT_EQ(written(write_sasl_initial_response, "SCRAM-SHA-256", "n,,n=,r=x"),
              client::sasl_initial("SCRAM-SHA-256", "n,,n=,r=x"));
}

}  // namespace pgsluice::wire
