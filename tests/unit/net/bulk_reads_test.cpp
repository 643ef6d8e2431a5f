#include "bulk_reads.hpp"

#include "loop.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>

namespace pgsluice::net {
namespace {

int low_water_mark(int fd) {
    int bytes = 0;
    socklen_t size = sizeof bytes;
    EXPECT_EQ(::getsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, &size), 0);
    return bytes;
}

// The streams alone, tick by tick: each run_one() is one tick.
struct BulkStreams : testing::Test {
    struct Connection {
        std::pair<Descriptor, Descriptor> sockets = tcp_pair();
        Stream stream;

        int fd() const { return sockets.second.get(); }
        int mark() const { return low_water_mark(fd()); }
    };

    boost::asio::io_context io{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
    BulkReads bulk{io};
    Connection one;
    Connection other;
};

TEST_F(BulkStreams, AStreamThatFlowsKeepsItsMark) {
    bulk.add(one.stream, one.fd());
    for (int tick = 0; tick < 5; ++tick) {
        EXPECT_EQ(one.mark(), BulkReads::portion) << tick;
        one.stream.mode = Stream::Mode::flowing;
        ASSERT_EQ(io.run_one(), 1U);
    }
    EXPECT_EQ(one.stream.mode, Stream::Mode::bulk);
}

TEST_F(BulkStreams, AStreamThatStopsLosesItsMarkWithTheSecondTick) {
    one.stream.bytes = BulkReads::begins_at;
    bulk.add(one.stream, one.fd());
    ASSERT_EQ(io.run_one(), 1U);
    EXPECT_EQ(one.mark(), BulkReads::portion);
    ASSERT_EQ(io.run_one(), 1U);
    EXPECT_EQ(one.mark(), 1);
    EXPECT_EQ(one.stream.mode, Stream::Mode::plain);
    EXPECT_EQ(one.stream.bytes, 0U) << "counted anew, or it would have its mark back with the next read";
}

TEST_F(BulkStreams, OneThatStopsTakesNothingFromAnother) {
    bulk.add(one.stream, one.fd());
    bulk.add(other.stream, other.fd());
    ASSERT_EQ(io.run_one(), 1U);
    other.stream.mode = Stream::Mode::flowing;
    ASSERT_EQ(io.run_one(), 1U);
    EXPECT_EQ(one.mark(), 1);
    EXPECT_EQ(other.mark(), BulkReads::portion);
}

TEST_F(BulkStreams, NothingTicksWithoutAStream) {
    EXPECT_EQ(io.run_one(), 0U);
    io.restart();
    bulk.add(one.stream, one.fd());
    EXPECT_EQ(io.run(), 2U) << "two ticks, then none";
    io.restart();
    bulk.add(one.stream, one.fd());
    EXPECT_EQ(io.run(), 2U) << "and again when there is one";
}

TEST_F(BulkStreams, ARemovedStreamHasNoMarkAndIsNotTouchedAgain) {
    bulk.add(one.stream, one.fd());
    bulk.add(other.stream, other.fd());
    bulk.remove(one.stream);
    EXPECT_EQ(one.mark(), 1);
    EXPECT_EQ(one.stream.mode, Stream::Mode::plain);
    EXPECT_EQ(other.mark(), BulkReads::portion);
    one.stream.mode = Stream::Mode::flowing;
    ASSERT_EQ(io.run_one(), 1U);
    EXPECT_EQ(one.stream.mode, Stream::Mode::flowing);
}

TEST_F(BulkStreams, RemovingTheLastEndsTheTick) {
    bulk.add(one.stream, one.fd());
    bulk.remove(one.stream);
    io.run_for(std::chrono::seconds(1));
    EXPECT_TRUE(io.stopped());
    EXPECT_EQ(one.stream.mode, Stream::Mode::plain);
}

TEST_F(BulkStreams, RemovingOneThatIsNotThereDoesNothing) {
    one.stream.bytes = 5000;
    bulk.remove(one.stream);
    EXPECT_EQ(one.stream.bytes, 5000U);
}

TEST_F(BulkStreams, TheHandlerThatWaitsMayOutliveEverything) {
    {
        BulkReads gone(io);
        Stream stream;
        gone.add(stream, one.fd());
    }
    io.run_for(std::chrono::seconds(1));
    EXPECT_TRUE(io.stopped());
}

// Links of servers that send a result as PostgreSQL does: piece by piece.
class BulkLink : public testing::Test {
  protected:
    static constexpr std::size_t piece = 8192;

    void connect(std::pair<Descriptor, Descriptor> sockets, Side side = Side::server) {
        peer = std::move(sockets.first);
        fd = sockets.second.get();
        link = Link::create(loop.reactor, std::move(sockets.second), side);
        link->start(sink);
    }
    void peer_sends(std::size_t size) {
        const std::string bytes = pattern(size, ++seed);
        ASSERT_EQ(::send(peer.get(), bytes.data(), size, MSG_NOSIGNAL), static_cast<ssize_t>(size));
        sent += bytes;
        loop.poll();
    }
    void peer_streams(std::size_t size) {
        for (std::size_t done = 0; done < size; done += piece) peer_sends(std::min(piece, size - done));
    }
    bool all_has_come() {
        return loop.run_until([&] { return sink.received.size() == sent.size(); }) && sink.received == sent;
    }
    int mark() const { return low_water_mark(fd); }

    Loop loop;
    RecordingSink sink;
    Descriptor peer;
    LinkPtr link;
    int fd = -1;
    unsigned seed = 0;
    std::string sent;
};

TEST_F(BulkLink, BeginsAfterAMegabyteWithoutAShortRead) {
    connect(tcp_pair());
    peer_streams(BulkReads::begins_at - piece);
    EXPECT_EQ(mark(), 1);
    peer_sends(piece);
    EXPECT_EQ(mark(), BulkReads::portion);
}

TEST_F(BulkLink, AShortReadBeginsTheCountAnew) {
    connect(tcp_pair());
    peer_streams(BulkReads::begins_at - piece);
    peer_sends(BulkReads::short_read - 1);
    peer_streams(BulkReads::begins_at - piece);
    EXPECT_EQ(mark(), 1);
    peer_sends(piece);
    EXPECT_EQ(mark(), BulkReads::portion);
}

TEST_F(BulkLink, WhatAClientSendsIsLeftAlone) {
    connect(tcp_pair(), Side::client);
    peer_streams(2 * BulkReads::begins_at);
    EXPECT_EQ(mark(), 1);
    EXPECT_TRUE(all_has_come());
}

TEST_F(BulkLink, SmallPiecesComeTogether) {
    connect(tcp_pair());
    peer_streams(BulkReads::begins_at);
    ASSERT_TRUE(all_has_come());
    // On a busy machine a tick may pass between any two of these lines, and bring what is there.
    bool came_together = false;
    for (int attempt = 0; attempt < 20 && !came_together; ++attempt) {
        const int calls = sink.calls;
        peer_sends(piece);
        came_together = sink.calls == calls;
        peer_streams(static_cast<std::size_t>(BulkReads::portion) - piece);
        EXPECT_TRUE(all_has_come());
        came_together &= sink.calls < calls + 4;
    }
    EXPECT_TRUE(came_together);
}

TEST_F(BulkLink, TheLastBytesOfAStreamComeByThemselves) {
    connect(tcp_pair());
    peer_streams(BulkReads::begins_at);
    ASSERT_EQ(mark(), BulkReads::portion);
    peer_sends(100);
    EXPECT_TRUE(all_has_come());
    loop.run_for(Milliseconds(20));
    EXPECT_EQ(mark(), 1);
}

TEST_F(BulkLink, AStreamOfAnyPaceLosesNothing) {
    connect(tcp_pair());
    for (const std::size_t size : {3'000'000U, 100U, 47'000U, 1'500'001U, 1U, 2'000'000U}) {
        peer_streams(size);
        ASSERT_TRUE(all_has_come()) << size;
    }
}

TEST_F(BulkLink, OnAUnixSocketEachPieceComesAtOnce) {
    connect(unix_pair());
    peer_streams(BulkReads::begins_at);
    const std::size_t before = sink.received.size();
    peer_sends(100);
    EXPECT_EQ(sink.received.size(), before + 100);
    EXPECT_TRUE(all_has_come());
}

TEST_F(BulkLink, AWriteTakesTheMarkAwayBecauseItsAnswerMayBeShort) {
    connect(tcp_pair());
    peer_streams(BulkReads::begins_at);
    ASSERT_EQ(mark(), BulkReads::portion);
    link->write("Q");
    EXPECT_EQ(mark(), 1);
    peer_sends(1);
    EXPECT_TRUE(all_has_come());
}

TEST_F(BulkLink, AServerThatEndsInTheMiddleIsReadToItsEnd) {
    connect(tcp_pair());
    peer_streams(BulkReads::begins_at);
    ASSERT_EQ(mark(), BulkReads::portion);
    peer_sends(100);
    peer.reset();
    ASSERT_TRUE(loop.run_until([&] { return sink.closed.has_value(); }));
    EXPECT_EQ(sink.closed, Closed::by_peer);
    EXPECT_TRUE(sink.received == sent);
}

TEST_F(BulkLink, AConnectionThatIsGivenAwayHasNoMark) {
    connect(tcp_pair());
    peer_streams(BulkReads::begins_at);
    ASSERT_EQ(mark(), BulkReads::portion);
    ASSERT_TRUE(link->at_rest());
    const LinkParts parts = link->detach();
    EXPECT_EQ(low_water_mark(parts.socket.get()), 1);
    loop.run_for(Milliseconds(5));
}

TEST_F(BulkLink, ALinkMayBeDroppedInTheMiddle) {
    connect(tcp_pair());
    peer_streams(BulkReads::begins_at);
    ASSERT_EQ(mark(), BulkReads::portion);
    link.reset();
    loop.run_for(Milliseconds(5));
    EXPECT_FALSE(sink.closed);
}

}  // namespace
}  // namespace pgsluice::net
