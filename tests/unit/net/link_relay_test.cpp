#include "relaying_link.hpp"

namespace pgsluice::net {
namespace {

using LinkRelay = RelayingLink;

INSTANTIATE_TEST_SUITE_P(Sockets, LinkRelay, testing::Bool(),
                         [](const auto& test) { return test.param ? "tcp" : "unix"; });

TEST_P(LinkRelay, HandsOverWhatComesAndSendsWhatIsWritten) {
    link->start(sink);
    for (int round = 0; round < 100; ++round) {
        peer_sends("hello");
        ASSERT_TRUE(loop.run_until([&] { return sink.received == "hello"; }));
        sink.received.clear();
        link->write("world");
        EXPECT_EQ(peer_reads(), "world");
    }
    EXPECT_TRUE(link->at_rest());
    EXPECT_EQ(loop.reactor.traffic(Side::client).received_bytes, 500U);
    EXPECT_EQ(loop.reactor.traffic(Side::client).sent_bytes, 500U);
    EXPECT_EQ(loop.reactor.traffic(Side::server).sent_bytes, 0U);
}

TEST_P(LinkRelay, ShowsUnreadBytesOfSetupFirst) {
    peer_sends("more");
    link->start(sink, "unread ");
    EXPECT_EQ(sink.received, "") << "never from inside start()";
    ASSERT_TRUE(loop.run_until([&] { return sink.received == "unread more"; }));
}

TEST_P(LinkRelay, BytesLeftComeAgainWithMoreBehindThem) {
    sink.consume = [](ByteView bytes) -> std::size_t { return bytes.ends_with('.') ? bytes.size() : 0; };
    link->start(sink);
    for (const char* part : {"a ", "whole ", "message"}) {
        peer_sends(part);
        loop.run_for(Milliseconds(5));
    }
    EXPECT_EQ(sink.received, "");
    EXPECT_GT(link->held_bytes(), 0U);
    EXPECT_FALSE(link->at_rest());
    peer_sends(".");
    ASSERT_TRUE(loop.run_until([&] { return sink.received == "a whole message."; }));
    EXPECT_EQ(link->held_bytes(), 0U);
    EXPECT_TRUE(link->at_rest());
}

TEST_P(LinkRelay, HoldsAMessageThatIsMuchLargerThanTheScratchBuffer) {
    const std::string message = pattern(1'000'000);
    sink.consume = [&](ByteView bytes) { return bytes.size() < message.size() ? 0 : bytes.size(); };
    link->start(sink);
    std::size_t sent = 0;
    ASSERT_TRUE(loop.run_until([&] {
        const ByteView rest = ByteView(message).substr(sent);
        const ssize_t count = ::send(peer.get(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count > 0) sent += static_cast<std::size_t>(count);
        return !sink.received.empty();
    }));
    EXPECT_TRUE(sink.received == message);
    EXPECT_EQ(link->held_bytes(), 0U);
}

TEST_P(LinkRelay, EveryWayToConsumeLosesNothing) {
    const std::string all = pattern(400'000);
    for (const std::size_t step : {1U, 777U, 20'000U, 70'000U}) {
        auto [near, far] = GetParam() ? tcp_pair() : unix_pair();
        LinkPtr other = Link::create(loop.reactor, std::move(far), Side::client);
        RecordingSink taking;
        // Takes whole steps only, as a cutter of frames does.
        taking.consume = [&](ByteView bytes) {
            return taking.received.size() + bytes.size() == all.size() ? bytes.size() : bytes.size() / step * step;
        };
        other->start(taking);
        std::size_t sent = 0;
        ASSERT_TRUE(loop.run_until([&] {
            const ByteView rest = ByteView(all).substr(sent, 30'011);
            const ssize_t count = ::send(near.get(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
            if (count > 0) sent += static_cast<std::size_t>(count);
            return taking.received.size() == all.size();
        }));
        EXPECT_TRUE(taking.received == all) << step;
    }
}

TEST_P(LinkRelay, APausedLinkDoesNotRead) {
    link->start(sink);
    link->pause(Pause::no_server);
    link->pause(Pause::slow_reader);
    peer_sends("later");
    loop.run_for(Milliseconds(10));
    link->resume(Pause::no_server);
    loop.run_for(Milliseconds(10));
    EXPECT_EQ(sink.received, "") << "one reason is left";
    link->resume(Pause::slow_reader);
    EXPECT_EQ(sink.received, "") << "never from inside resume()";
    ASSERT_TRUE(loop.run_until([&] { return sink.received == "later"; }));
}

TEST_P(LinkRelay, ResumeShowsWhatWasLeftAgain) {
    sink.consume = [&](ByteView) -> std::size_t {
        link->pause(Pause::held);
        return 0;
    };
    link->start(sink);
    peer_sends("again");
    ASSERT_TRUE(loop.run_until([&] { return sink.calls == 1; }));
    sink.consume = nullptr;
    loop.run_for(Milliseconds(10));
    EXPECT_EQ(sink.calls, 1);
    link->resume(Pause::held);
    ASSERT_TRUE(loop.run_until([&] { return sink.received == "again"; }));
    peer_sends(" and on");
    ASSERT_TRUE(loop.run_until([&] { return sink.received == "again and on"; }));
}

TEST_P(LinkRelay, PauseAndResumeInsideOneCallShowWhatWasLeftAgain) {
    sink.consume = [&](ByteView bytes) -> std::size_t {
        link->pause(Pause::held);
        link->resume(Pause::held);
        return sink.calls == 1 ? 2 : bytes.size();
    };
    link->start(sink);
    peer_sends("twice");
    ASSERT_TRUE(loop.run_until([&] { return sink.received == "twice"; }));
    EXPECT_EQ(sink.calls, 2);
}

TEST_P(LinkRelay, ReportsCongestionUntilThePeerHasRead) {
    link->start(sink);
    const std::string all = congest();
    EXPECT_GT(link->held_bytes(), 0U);
    EXPECT_LE(link->held_bytes(), 100'000U);
    std::string read;
    ASSERT_TRUE(loop.run_until([&] {
        read += peer_reads();
        return read.size() == all.size();
    }));
    EXPECT_TRUE(read == all);
    loop.poll();
    EXPECT_FALSE(link->congested());
    EXPECT_EQ(sink.drained, 1);
    EXPECT_EQ(link->held_bytes(), 0U);
    // And once more: the second congestion finds the descriptor registered for writing.
    const std::string second = congest();
    read.clear();
    ASSERT_TRUE(loop.run_until([&] {
        read += peer_reads();
        return read.size() == second.size() && sink.drained == 2;
    }));
    EXPECT_TRUE(read == second);
}

TEST_P(LinkRelay, ASinkThatYieldsIsCalledAgainBehindTheOthers) {
    auto [other_peer, far] = unix_pair();
    const LinkPtr other = Link::create(loop.reactor, std::move(far), Side::client);
    RecordingSink quiet;
    other->start(quiet);
    link->start(sink);
    loop.poll();
    std::vector<int> heard_of_other_before;
    sink.consume = [&](ByteView) {
        if (sink.calls == 1) ::send(other_peer.get(), "me", 2, MSG_NOSIGNAL);
        heard_of_other_before.push_back(quiet.calls);
        link->yield();
        return std::size_t{1};
    };
    peer_sends("0123456789");
    ASSERT_TRUE(loop.run_until([&] { return sink.calls == 10; }));
    EXPECT_EQ(heard_of_other_before[0], 0);
    EXPECT_EQ(heard_of_other_before[2], 1) << "two turns at most before the loop looks again";
}

TEST_P(LinkRelay, WhoYieldsOutsideOfACallSeesWhatWasLeftOnce) {
    sink.consume = [](ByteView) { return std::size_t{0}; };
    link->start(sink);
    peer_sends("left");
    ASSERT_TRUE(loop.run_until([&] { return sink.calls == 1; }));
    link->yield();
    EXPECT_EQ(sink.calls, 1) << "never from inside";
    ASSERT_TRUE(loop.run_until([&] { return sink.calls == 2; }));
    loop.poll();
    EXPECT_EQ(sink.calls, 2);
    link->pause(Pause::held);
    link->yield();
    loop.poll();
    EXPECT_EQ(sink.calls, 2) << "who is paused waits";
    link->resume(Pause::held);
    ASSERT_TRUE(loop.run_until([&] { return sink.calls == 3; }));
}

TEST_P(LinkRelay, AFloodGivesOtherLinksTheirTurn) {
    auto [other_peer, far] = unix_pair();
    LinkPtr other = Link::create(loop.reactor, std::move(far), Side::client);
    RecordingSink quiet;
    other->start(quiet);
    const std::string flood = pattern(65536);
    std::size_t at = 0;
    sink.consume = [&](ByteView bytes) {
        while (::send(peer.get(), flood.data(), flood.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
        }
        if (sink.calls == 100) ::send(other_peer.get(), "me", 2, MSG_NOSIGNAL);
        if (at == 0 && !quiet.received.empty()) at = static_cast<std::size_t>(sink.calls);
        return bytes.size();
    };
    link->start(sink);
    peer_sends("go");
    ASSERT_TRUE(loop.run_until([&] { return at > 0; }));
    EXPECT_LE(at, 130U);
}

TEST_P(LinkRelay, MayBeDroppedInsideItsCallbacks) {
    sink.consume = [&](ByteView bytes) {
        link.reset();
        return bytes.size() - 1;
    };
    link->start(sink);
    peer_sends("bytes");
    ASSERT_TRUE(loop.run_until([&] { return sink.calls == 1 && peer_sees_end(); }));
    EXPECT_FALSE(sink.closed.has_value());
}

TEST_P(LinkRelay, MayBeDroppedWhenItHasClosedOrDrained) {
    sink.when_closed = [&](Closed) { link.reset(); };
    link->start(sink);
    peer.reset();
    ASSERT_TRUE(loop.run_until([&] { return link == nullptr; }));

    auto [near, far] = unix_pair();
    peer = std::move(near);
    link = Link::create(loop.reactor, std::move(far), Side::server);
    sink.when_drained = [&] { link.reset(); };
    link->start(sink);
    congest();
    ASSERT_TRUE(loop.run_until([&] {
        peer_reads();
        return link == nullptr;
    }));
}

TEST_P(LinkRelay, TheBytesOutliveACloseInsideTheCallback) {
    std::string seen;
    sink.consume = [&](ByteView bytes) {
        link->write("FATAL");
        link->close();
        seen = bytes;
        return bytes.size();
    };
    link->start(sink, "held ");
    peer_sends(pattern(3000));
    ASSERT_TRUE(loop.run_until([&] { return !seen.empty(); }));
    EXPECT_TRUE(ByteView(seen).starts_with("held "));
    EXPECT_EQ(peer_reads(), "FATAL");
}

TEST_P(LinkRelay, GoesOnInAnotherLoop) {
    link->start(sink);
    peer_sends("one");
    ASSERT_TRUE(loop.run_until([&] { return sink.received == "one"; }));
    ASSERT_TRUE(link->at_rest());
    LinkParts parts = link->detach();
    EXPECT_FALSE(link->is_open());
    link.reset();
    loop.run_for(Milliseconds(5));

    Loop other;
    RecordingSink second;
    peer_sends("two");
    LinkPtr moved = Link::attach(other.reactor, std::move(parts));
    EXPECT_EQ(moved->side(), Side::client);
    moved->start(second);
    ASSERT_TRUE(other.run_until([&] { return second.received == "two"; }));
    peer_sends("three");
    ASSERT_TRUE(other.run_until([&] { return second.received == "twothree"; }));
    moved->write("back");
    EXPECT_EQ(peer_reads(), "back");
}

TEST_P(LinkRelay, RetiresObjectsThatAreOnTheStack) {
    struct Session : RecordingSink {
        LinkPtr own;
        bool* gone;
        ~Session() override { *gone = true; }
    };
    bool gone = false;
    auto session = std::make_unique<Session>();
    Session* raw = session.get();
    raw->gone = &gone;
    raw->own = std::move(link);
    raw->consume = [&](ByteView bytes) {
        raw->own.reset();
        loop.reactor.retire(std::move(session));
        EXPECT_FALSE(gone);
        return bytes.size();
    };
    raw->own->start(*raw);
    peer_sends("end yourself");
    ASSERT_TRUE(loop.run_until([&] { return gone; }));
}

TEST_P(LinkRelay, AReactorThatGoesTakesItsLinksAlong) {
    Loop* dying = new Loop;
    auto [near, far] = unix_pair();
    LinkPtr survivor = Link::create(dying->reactor, std::move(far), Side::client);
    survivor->start(sink);
    survivor->write("x");
    delete dying;
    EXPECT_FALSE(survivor->is_open());
    survivor->write("y");
    survivor->resume(Pause::no_server);
    survivor->close();
}

TEST(Link, IsSmall) {
    EXPECT_LE(sizeof(Link), 200U);
}

}  // namespace
}  // namespace pgsluice::net
