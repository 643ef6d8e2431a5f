// The test helpers themselves: a builder that is wrong would make every other test wrong.
#include <gtest/gtest.h>
#include <support/fake_clock.hpp>
#include <support/fake_peer.hpp>
#include <support/messages.hpp>
#include <support/splits.hpp>

namespace pgsluice::test {
namespace {

// Takes `portion` bytes of every call.
class Nibbler final : public Sink {
  public:
    std::size_t on_bytes(ByteView bytes) override {
        const std::size_t taken = bytes.size() < portion ? bytes.size() : portion;
        got += bytes.substr(0, taken);
        return taken;
    }
    void on_drained() override { ++drained; }
    void on_closed(Closed) override { ++closed; }
    std::size_t portion = 2;
    Bytes got;
    int drained = 0, closed = 0;
};

}  // namespace

TEST(Builders, write_the_bytes_of_the_documentation) {
    EXPECT_EQ(client::query("select 1"), Bytes("Q\0\0\0\x0Dselect 1\0", 14));
    EXPECT_EQ(client::sync(), Bytes("S\0\0\0\4", 5));
    EXPECT_EQ(client::ssl_request(), Bytes("\0\0\0\x08\x04\xD2\x16\x2F", 8));
    EXPECT_EQ(client::startup({{"user", "u"}}), Bytes("\0\0\0\x10\0\3\0\0user\0u\0\0", 16));
    EXPECT_EQ(server::ready('T'), Bytes("Z\0\0\0\5T", 6));
    EXPECT_EQ(server::row({"a", std::nullopt}), Bytes("D\0\0\0\x0F\0\2\0\0\0\1a\xFF\xFF\xFF\xFF", 16));
    EXPECT_EQ(client::with_length('Q', 0xFFFFFFFF), Bytes("Q\xFF\xFF\xFF\xFF", 5));
}

TEST(Describe, prints_a_client_stream) {
    EXPECT_EQ(describe_client(client::parse("s1", "select $1", {23}) + client::bind("", "s1", {"x", std::nullopt}) +
                              client::describe_portal() + client::execute("", 5) + client::close_statement("s1") +
                              client::sync() + client::query("it's\n") + client::copy_fail("no")),
              "Parse \"s1\" \"select $1\" 23\n"
              "Bind \"\" \"s1\" \"x\" NULL\n"
              "Describe P \"\"\n"
              "Execute \"\" 5\n"
              "Close S \"s1\"\n"
              "Sync\n"
              "Query \"it's\\x0a\"\n"
              "CopyFail \"no\"\n");
}

TEST(Describe, prints_a_server_stream) {
    EXPECT_EQ(describe(server::authentication_ok() + server::parameter_status("a", "b") + server::one_row("1") +
                       server::error("42501", "no") + server::notice("hm") + server::notification(7, "c", "p") +
                       server::parameter_description({23}) + server::copy_in_response(2) +
                       server::negotiate_protocol_version(3 << 16, {"_pq_.x"})),
              "Authentication 0\n"
              "ParameterStatus \"a\" \"b\"\n"
              "RowDescription \"?column?\"\n"
              "DataRow \"1\"\n"
              "CommandComplete \"SELECT 1\"\n"
              "ReadyForQuery I\n"
              "ErrorResponse ERROR 42501 \"no\"\n"
              "NoticeResponse NOTICE 00000 \"hm\"\n"
              "NotificationResponse 7 \"c\" \"p\"\n"
              "ParameterDescription 23\n"
              "CopyInResponse 7\n"
              "NegotiateProtocolVersion 3.0 \"_pq_.x\"\n");
}

TEST(Describe, survives_any_prefix_and_nonsense) {
    const Bytes stream = server::login() + server::one_row("1") + server::error("XX000", "x");
    for (const ByteView prefix : every_prefix(stream)) {
        const std::string text = describe(prefix);
        EXPECT_TRUE(text.empty() || text.back() == '\n');
    }
    EXPECT_EQ(describe(server::message('D', ByteView("\0\2", 2))), "DataRow \"\" (malformed)\n");
    EXPECT_EQ(describe(server::message('Z', "II")), "ReadyForQuery I (and 1 more bytes)\n");
    EXPECT_EQ(describe(server::message('?', {})), "Unknown \"?\"\n");
    EXPECT_EQ(describe("Z"), "(incomplete) \"Z\"\n");
}

TEST(Splits, keep_every_byte) {
    const auto splits = every_split("abc");
    ASSERT_EQ(splits.size(), 4U);
    for (const Portions& portions : splits) {
        Bytes joined;
        for (const ByteView portion : portions) joined += portion;
        EXPECT_EQ(joined, "abc");
    }
    EXPECT_EQ(every_prefix("abc").size(), 3U);
}

TEST(FakePeer, gives_unconsumed_bytes_again_but_not_while_paused) {
    FakePeer peer;
    Nibbler sink;
    peer.attach(sink);
    peer.pause(Pause::no_server);
    peer.pause(Pause::slow_reader);
    peer.receive("abcde");
    EXPECT_EQ(sink.got, "");
    peer.resume(Pause::no_server);
    EXPECT_FALSE(peer.turn());
    EXPECT_TRUE(peer.is_paused(Pause::slow_reader));
    peer.resume(Pause::slow_reader);
    EXPECT_EQ(sink.got, "") << "resume() must not call the sink";
    EXPECT_TRUE(peer.turn());
    EXPECT_EQ(sink.got, "abcde");
}

TEST(FakePeer, records_writes_congestion_and_the_end) {
    FakePeer peer;
    Nibbler sink;
    peer.attach(sink);
    peer.limit_to(2);
    peer.write("ab");
    EXPECT_FALSE(peer.congested());
    peer.write("c");
    EXPECT_TRUE(peer.congested());
    EXPECT_EQ(peer.take(), "abc");
    EXPECT_FALSE(peer.congested());
    peer.congest();
    EXPECT_TRUE(peer.congested());
    peer.drain();
    EXPECT_EQ(sink.drained, 1);
    peer.lose(Closed::reset);
    EXPECT_EQ(sink.closed, 1);
    peer.write("late");
    EXPECT_EQ(peer.written(), "");
    EXPECT_EQ(peer.writes_after_close(), 1U);
}

TEST(FakeClock, moves_when_told) {
    FakeClock clock;
    const TimePoint before = clock.now();
    EXPECT_EQ(clock.now(), before);
    EXPECT_EQ(clock.advance(Milliseconds(5)), before + Milliseconds(5));
}

}  // namespace pgsluice::test
