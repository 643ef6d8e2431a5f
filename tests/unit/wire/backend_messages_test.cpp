#include <pgsluice/wire/backend_messages.hpp>
#include <pgsluice/wire/frame.hpp>

#include <gtest/gtest.h>
#include <support/messages.hpp>
#include <support/splits.hpp>

namespace pgsluice::wire {
namespace {

namespace server = test::server;
using Row = std::vector<std::optional<ByteView>>;

ByteView body(const Bytes& message) {
    return ByteView(message).substr(header_bytes);
}
Bytes written(auto write, auto... arguments) {
    Bytes out;
    write(out, arguments...);
    return out;
}

}  // namespace

TEST(Authentication, is_read_and_written) {
    const Bytes md5 = server::authentication_md5("salt");
    EXPECT_EQ(read_authentication(body(md5))->code, 5);
    EXPECT_EQ(read_authentication(body(md5))->data, "salt");
    EXPECT_EQ(read_authentication(body(server::authentication_ok()))->data, "");
    for (const ByteView prefix : test::every_prefix(body(server::authentication_ok()))) {
        EXPECT_FALSE(read_authentication(prefix));
    }
    EXPECT_EQ(written([](Bytes& out) { write_authentication(out, AuthenticationCode::md5_password, "salt"); }), md5);
    EXPECT_EQ(written([](Bytes& out) { write_authentication(out, AuthenticationCode::ok); }),
              server::authentication_ok());
}

TEST(Authentication, unknown_codes_are_read_as_they_are) {
    EXPECT_EQ(read_authentication(body(server::authentication(7)))->code, 7);
    EXPECT_EQ(read_authentication("\xFF\xFF\xFF\xFF")->code, -1);
}

TEST(SaslMechanisms, are_a_list_that_ends_with_an_empty_name) {
    const Bytes message = server::authentication_sasl({"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"});
    const ByteView data = read_authentication(body(message))->data;
    EXPECT_EQ(read_sasl_mechanisms(data), (std::vector<ByteView>{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"}));
    for (const ByteView prefix : test::every_prefix(data)) EXPECT_FALSE(read_sasl_mechanisms(prefix));
    EXPECT_TRUE(read_sasl_mechanisms(ByteView("\0", 1))->empty());
    const std::vector<ByteView> names{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"};
    EXPECT_EQ(written(write_authentication_sasl, std::span<const ByteView>(names)), message);
}

TEST(ParameterStatus, is_read_and_written) {
    const Bytes message = server::parameter_status("TimeZone", "Europe/Berlin");
    EXPECT_EQ(read_parameter_status(body(message))->name, "TimeZone");
    EXPECT_EQ(read_parameter_status(body(message))->value, "Europe/Berlin");
    for (const ByteView prefix : test::every_prefix(body(message))) EXPECT_FALSE(read_parameter_status(prefix));
    EXPECT_FALSE(read_parameter_status(Bytes(body(message)) + 'x'));
    EXPECT_EQ(written(write_parameter_status, "TimeZone", "Europe/Berlin"), message);
}

TEST(BackendKeyData, secrets_are_of_4_to_256_bytes) {
    for (const std::size_t size : {std::size_t{4}, std::size_t{32}, std::size_t{256}}) {
        const Bytes secret(size, '\xA5');
        const Bytes message = server::backend_key_data(-7, secret);
        const auto key = read_backend_key_data(body(message));
        ASSERT_TRUE(key) << size;
        EXPECT_EQ(key->process_id, -7);
        EXPECT_EQ(key->secret, secret);
        EXPECT_EQ(written(write_backend_key_data, -7, secret), message);
    }
    for (const std::size_t size : {std::size_t{0}, std::size_t{3}, std::size_t{257}}) {
        const Bytes message = server::backend_key_data(7, Bytes(size, 'x'));
        EXPECT_FALSE(read_backend_key_data(body(message))) << size;
    }
    for (const ByteView prefix : test::every_prefix(ByteView("\0\0\0\7abcd", 8))) {
        EXPECT_FALSE(read_backend_key_data(prefix));
    }
}

TEST(ReadyForQuery, has_one_of_three_states) {
    EXPECT_EQ(read_ready_for_query("I"), TransactionStatus::idle);
    EXPECT_EQ(read_ready_for_query("T"), TransactionStatus::in_transaction);
    EXPECT_EQ(read_ready_for_query("E"), TransactionStatus::failed);
    for (const char* wrong : {"", "i", "X", "II"}) EXPECT_FALSE(read_ready_for_query(wrong)) << wrong;
    EXPECT_EQ(written(write_ready_for_query, TransactionStatus::in_transaction), server::ready('T'));
}

TEST(DataRow, values_are_read) {
    const Bytes message = server::row({"a", std::nullopt, ""});
    EXPECT_EQ(read_data_row(body(message)), (Row{ByteView("a"), std::nullopt, ByteView("")}));
    EXPECT_EQ(read_data_row(body(server::row({}))), Row{});
    for (const ByteView prefix : test::every_prefix(body(message))) EXPECT_FALSE(read_data_row(prefix));
    EXPECT_FALSE(read_data_row(Bytes(body(message)) + 'x'));
}

TEST(DataRow, lengths_that_lie_are_refused) {
    const auto with_length = [](const char(&length)[5]) {
        return read_data_row(Bytes("\0\1", 2).append(length, 4).append("ab"));
    };
    EXPECT_TRUE(with_length("\0\0\0\2"));
    EXPECT_FALSE(with_length("\0\0\0\0")) << "bytes would remain";
    EXPECT_FALSE(with_length("\0\0\0\1"));
    EXPECT_FALSE(with_length("\0\0\0\3"));
    EXPECT_FALSE(with_length("\xFF\xFF\xFF\xFE")) << "-2";
    EXPECT_FALSE(with_length("\x80\0\0\0"));
    EXPECT_FALSE(with_length("\x7F\xFF\xFF\xFF"));
    EXPECT_FALSE(read_data_row("\xFF\xFF")) << "a negative number of values";
    EXPECT_FALSE(read_data_row("\x7F\xFF")) << "more values than bytes";
}

TEST(NegotiateProtocolVersion, is_written) {
    const std::vector<ByteView> unknown{"_pq_.one", "_pq_.two"};
    EXPECT_EQ(written(write_negotiate_protocol_version, 0, std::span<const ByteView>(unknown)),
              server::negotiate_protocol_version(3 << 16, {"_pq_.one", "_pq_.two"}));
}

TEST(BackendMessages, the_others_are_written) {
    EXPECT_EQ(written([](Bytes& out) { write_empty(out, BackendTag::parse_complete); }), server::parse_complete());
    EXPECT_EQ(written([](Bytes& out) { write_empty(out, BackendTag::empty_query_response); }), server::empty_query());
}

}  // namespace pgsluice::wire
