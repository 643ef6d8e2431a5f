// How a link ends, by its peer and by its owner.
#include "relaying_link.hpp"

namespace pgsluice::net {
namespace {

using LinkEnd = RelayingLink;

INSTANTIATE_TEST_SUITE_P(Sockets, LinkEnd, testing::Bool(),
                         [](const auto& test) { return test.param ? "tcp" : "unix"; });

TEST_P(LinkEnd, TellsAnOrderlyEnd) {
    link->start(sink);
    peer_sends("last words");
    peer.reset();
    ASSERT_TRUE(loop.run_until([&] { return sink.closed.has_value(); }));
    EXPECT_EQ(sink.received, "last words");
    EXPECT_EQ(*sink.closed, Closed::by_peer);
    EXPECT_FALSE(link->is_open());
    link->write("ignored");
    link->pause(Pause::draining);
    link->resume(Pause::draining);
    link->close();
}

TEST_P(LinkEnd, TellsAnEndThatComesTogetherWithTheLastBytes) {
    peer_sends("all at once");
    peer.reset();
    link->start(sink);
    ASSERT_TRUE(loop.run_until([&] { return sink.closed.has_value(); }));
    EXPECT_EQ(sink.received, "all at once");
    EXPECT_EQ(*sink.closed, Closed::by_peer);
}

TEST_P(LinkEnd, TellsOfAWriteThatFailedFromTheLoop) {
    link->start(sink);
    loop.poll();
    peer_sends("FATAL: going");
    if (GetParam()) {
        const linger abort{1, 0};
        ::setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    }
    peer.reset();
    for (int tries = 0; tries < 3; ++tries) link->write("are you there");
    EXPECT_FALSE(sink.closed.has_value());
    ASSERT_TRUE(loop.run_until([&] { return sink.closed.has_value(); }));
    EXPECT_FALSE(link->congested());
    // Over TCP the kernel may throw them away with the reset.
    if (GetParam()) return;
    EXPECT_EQ(sink.received, "FATAL: going");
}

TEST_P(LinkEnd, ThePeerOfAPausedLinkIsMissedAtOnce) {
    link->start(sink);
    link->pause(Pause::no_server);
    peer_sends("a query");
    loop.run_for(Milliseconds(5));
    link->check_paused();
    EXPECT_FALSE(sink.closed.has_value()) << "still there";
    peer.reset();
    ASSERT_TRUE(loop.run_until([&] { return sink.closed.has_value(); }));
    EXPECT_EQ(*sink.closed, Closed::by_peer);
    EXPECT_EQ(sink.received, "");
}

TEST_P(LinkEnd, TheSweepFindsAPeerThatHadGoneBeforeThePause) {
    sink.consume = [&](ByteView) -> std::size_t {
        link->pause(Pause::no_server);
        return 0;
    };
    peer_sends("a query, and out");
    peer.reset();
    link->start(sink);
    ASSERT_TRUE(loop.run_until([&] { return sink.calls == 1; }));
    link->check_paused();
    ASSERT_TRUE(sink.closed.has_value());
    EXPECT_EQ(*sink.closed, Closed::by_peer);
}

TEST_P(LinkEnd, AnEndThatWaitsBehindUnreadBytesIsFound) {
    int reads = 0;
    sink.consume = [&](ByteView bytes) {
        if (++reads == 1) peer.reset();  // after the read that emptied the socket, before the link waits again
        return bytes.size();
    };
    link->start(sink);
    peer_sends("last");
    ASSERT_TRUE(loop.run_until([&] { return sink.closed.has_value(); }));
}

TEST_P(LinkEnd, SparesBytesThatStandBeforeAnOrderlyEnd) {
    link->start(sink);
    link->pause(Pause::slow_reader);
    peer_sends("result");
    peer.reset();
    loop.run_for(Milliseconds(5));
    link->check_paused();
    EXPECT_FALSE(sink.closed.has_value());
    link->resume(Pause::slow_reader);
    ASSERT_TRUE(loop.run_until([&] { return sink.closed.has_value(); }));
    EXPECT_EQ(sink.received, "result");
}

TEST_P(LinkEnd, APeerThatHasEndedItsSideAndReadsItsAnswersLateIsHeardToItsEnd) {
    link->start(sink);
    link->pause(Pause::unread);
    peer_sends("last query");
    ::shutdown(peer.get(), SHUT_WR);
    loop.run_for(Milliseconds(5));
    link->check_paused();
    EXPECT_FALSE(sink.closed.has_value());
    link->resume(Pause::unread);
    ASSERT_TRUE(loop.run_until([&] { return sink.closed.has_value(); }));
    EXPECT_EQ(*sink.closed, Closed::by_peer);
    EXPECT_EQ(sink.received, "last query");
}

// SUSPEND: what came before the end is heard first, and an end that was not orderly waits too.
TEST_P(LinkEnd, ASuspendedLinkHearsOfItsPeersEndWhenItGoesOn) {
    link->start(sink);
    loop.run_for(Milliseconds(5));
    link->pause(Pause::suspended);
    peer_sends("last words");
    peer.reset();
    loop.run_for(Milliseconds(10));
    link->check_paused();
    EXPECT_EQ(sink.calls, 0);
    EXPECT_FALSE(sink.closed.has_value());
    link->resume(Pause::suspended);
    ASSERT_TRUE(loop.run_until([&] { return sink.closed.has_value(); }));
    EXPECT_EQ(sink.received, "last words");
}

TEST_P(LinkEnd, CloseDeliversEverythingAndTheSinkHearsNothing) {
    link->start(sink);
    const std::string all = congest();
    peer_sends("unread by us");
    link->close();
    link->close();
    link.reset();
    std::string read;
    ASSERT_TRUE(loop.run_until([&] {
        read += peer_reads();
        return read.size() == all.size();
    }));
    EXPECT_TRUE(read == all);
    ASSERT_TRUE(loop.run_until([&] { return peer_sees_end(); }));
    EXPECT_EQ(sink.calls, 0);
    EXPECT_EQ(sink.drained, 0);
    EXPECT_FALSE(sink.closed.has_value());
}

TEST_P(LinkEnd, ResetBreaksTheConnectionAtOnceAndTheSinkHearsNothing) {
    link->start(sink);
    const std::string all = congest();
    peer_sends("unread by us");
    link->reset();
    link->reset();
    link->close();
    EXPECT_FALSE(link->is_open());
    EXPECT_LT(::send(peer.get(), "more", 4, MSG_NOSIGNAL), 0);
    link.reset();
    loop.run_for(Milliseconds(10));
    EXPECT_EQ(sink.calls, 0);
    EXPECT_FALSE(sink.closed.has_value());
}

TEST_P(LinkEnd, CloseDoesNotResetAPeerThatStillSends) {
    link->start(sink);
    peer_sends(pattern(50'000));
    link->write("FATAL: why");
    link->close();
    link.reset();
    loop.run_for(Milliseconds(10));
    EXPECT_GT(::send(peer.get(), "more", 4, MSG_NOSIGNAL), 0);
    loop.run_for(Milliseconds(10));
    EXPECT_EQ(peer_reads(), "FATAL: why");
    EXPECT_TRUE(peer_sees_end());
}

TEST(Link, ACloseThatCannotFinishEndsInTime) {
    Loop loop;
    auto [peer, far] = unix_pair();
    LinkPtr link = Link::create(loop.reactor, std::move(far), Side::client);
    while (!link->congested()) link->write(pattern(100'000));
    link->close();
    link.reset();
    loop.run_for(Milliseconds(5200));
    // The rest was given up: the peer reads what the kernel had, and then the end.
    char bin[65536];
    ssize_t count = 1;
    while (count > 0) count = ::recv(peer.get(), bin, sizeof bin, MSG_DONTWAIT);
    EXPECT_EQ(count, 0);
}

}  // namespace
}  // namespace pgsluice::net
