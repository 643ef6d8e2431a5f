#include "loop.hpp"

#include <boost/asio/error.hpp>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

namespace pgsluice::net {
namespace {

namespace asio = boost::asio;

class LinkSetup : public testing::Test {
  protected:
    LinkSetup() {
        auto [near, far] = tcp_pair();
        peer = std::move(near);
        link = Link::create(loop.reactor, std::move(far), Side::client);
    }

    void peer_sends(ByteView bytes) { ::send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }

    Loop loop;
    Descriptor peer;
    LinkPtr link;
    char buffer[64] = {};
};

TEST_F(LinkSetup, ReadsNoMoreThanItReturns) {
    peer_sends("12345678rest");
    EXPECT_EQ(loop.await(link->read_exactly(std::span(buffer, 8), never)), error_code());
    EXPECT_EQ(ByteView(buffer, 8), "12345678");
    EXPECT_EQ(link->unread_bytes(), 4U);
    const auto rest = loop.await(link->read_some(buffer, never));
    ASSERT_TRUE(rest.has_value());
    EXPECT_EQ(ByteView(buffer, *rest), "rest");
    EXPECT_EQ(link->unread_bytes(), 0U);
}

TEST_F(LinkSetup, PeeksWithoutTaking) {
    std::optional<std::size_t> seen;
    asio::co_spawn(loop.io, link->peek_some(std::span(buffer, 3), in(Milliseconds(5000))),
                   [&](std::exception_ptr, Result<std::size_t> count) { seen = count.value(); });
    loop.run_for(Milliseconds(5));
    EXPECT_FALSE(seen.has_value());
    peer_sends("hello");
    ASSERT_TRUE(loop.run_until([&] { return seen.has_value(); }));
    EXPECT_EQ(ByteView(buffer, *seen), "hel");
    EXPECT_EQ(loop.await(link->read_exactly(std::span(buffer, 5), never)), error_code());
    EXPECT_EQ(ByteView(buffer, 5), "hello");
    EXPECT_EQ(loop.await(link->peek_some(buffer, in(Milliseconds(20)))).error(), asio::error::timed_out);
    peer.reset();
    EXPECT_EQ(loop.await(link->peek_some(buffer, never)).error(), asio::error::eof);
}

TEST_F(LinkSetup, WaitsForBytesThatComeInParts) {
    std::optional<error_code> result;
    asio::co_spawn(loop.io, link->read_exactly(std::span(buffer, 6), in(Milliseconds(5000))),
                   [&](std::exception_ptr, error_code error) { result = error; });
    for (const char* part : {"ab", "cd", "ef"}) {
        loop.run_for(Milliseconds(5));
        EXPECT_FALSE(result.has_value());
        peer_sends(part);
    }
    ASSERT_TRUE(loop.run_until([&] { return result.has_value(); }));
    EXPECT_EQ(*result, error_code());
    EXPECT_EQ(ByteView(buffer, 6), "abcdef");
}

TEST_F(LinkSetup, GivesUpAtTheDeadline) {
    const TimePoint begin = std::chrono::steady_clock::now();
    const auto result = loop.await(link->read_some(buffer, in(Milliseconds(100))));
    EXPECT_EQ(result.error(), asio::error::timed_out);
    const auto took = std::chrono::steady_clock::now() - begin;
    EXPECT_GE(took, Milliseconds(100));
    EXPECT_LT(took, Milliseconds(1000));
    // The connection is none the worse for it.
    peer_sends("late");
    EXPECT_TRUE(loop.await(link->read_some(buffer, in(Milliseconds(5000)))).has_value());
}

TEST_F(LinkSetup, TellsTheEndOfTheStream) {
    peer_sends("half");
    peer.reset();
    EXPECT_EQ(loop.await(link->read_exactly(std::span(buffer, 8), never)), asio::error::eof);
}

TEST_F(LinkSetup, WritesEverythingToASlowReader) {
    const std::string all = pattern(20'000'000);
    std::string read;
    std::thread slow([&] {
        std::string part(100'000, '\0');
        while (read.size() < all.size()) {
            const ssize_t count = ::recv(peer.get(), part.data(), part.size(), 0);
            if (count <= 0) return;
            read.append(part, 0, static_cast<std::size_t>(count));
        }
    });
    EXPECT_EQ(loop.await(link->write_all(all, never)), error_code());
    slow.join();
    EXPECT_TRUE(read == all);
    EXPECT_EQ(link->held_bytes(), 0U);
}

TEST_F(LinkSetup, AWriteThatNobodyReadsTimesOut) {
    EXPECT_EQ(loop.await(link->write_all(pattern(20'000'000), in(Milliseconds(100)))), asio::error::timed_out);
}

TEST_F(LinkSetup, CloseEndsTheOperationThatWaits) {
    std::optional<error_code> result;
    asio::co_spawn(loop.io, link->read_exactly(std::span(buffer, 6), never),
                   [&](std::exception_ptr, error_code error) { result = error; });
    loop.poll();
    link->close();
    EXPECT_FALSE(result.has_value()) << "never from inside close()";
    link.reset();
    ASSERT_TRUE(loop.run_until([&] { return result.has_value(); }));
    EXPECT_EQ(*result, asio::error::operation_aborted);
}

TEST_F(LinkSetup, DroppingTheLinkEndsTheOperationThatWaits) {
    std::optional<error_code> result;
    asio::co_spawn(loop.io, link->read_exactly(std::span(buffer, 6), in(Milliseconds(5000))),
                   [&](std::exception_ptr, error_code error) { result = error; });
    loop.poll();
    link.reset();
    ASSERT_TRUE(loop.run_until([&] { return result.has_value(); }));
    EXPECT_EQ(*result, asio::error::operation_aborted);
}

asio::awaitable<error_code> own_and_read(LinkPtr own) {
    char byte[1];
    co_return co_await own->read_exactly(byte, in(Milliseconds(60'000)));
}

TEST_F(LinkSetup, ACoroutineThatOwnsItsLinkGoesWithTheLoop) {
    {
        Loop dying;
        auto [near, far] = tcp_pair();
        asio::co_spawn(dying.io, own_and_read(Link::create(dying.reactor, std::move(far), Side::client)),
                       [](std::exception_ptr, error_code) { FAIL(); });
        dying.run_for(Milliseconds(5));
    }
    SUCCEED() << "the leak check has the last word";
}

asio::awaitable<void> answer_one(Link& link, RecordingSink& sink) {
    char byte[1];
    const error_code error = co_await link.read_exactly(byte, never);
    EXPECT_FALSE(error);
    link.start(sink);
}

TEST_F(LinkSetup, BytesThatSetupLeftInTheKernelReachTheSink) {
    RecordingSink sink;
    peer_sends("1234");
    asio::co_spawn(loop.io, answer_one(*link, sink), [](std::exception_ptr) {});
    ASSERT_TRUE(loop.run_until([&] { return sink.received == "234"; }));
}

TEST_F(LinkSetup, KnowsWhoItTalksTo) {
    EXPECT_EQ(link->remote().to_string(), "127.0.0.1");
    EXPECT_NE(link->remote().port, 0);
    EXPECT_NE(link->local_port(), 0);
    EXPECT_EQ(link->side(), Side::client);
    EXPECT_FALSE(link->peer_uid().has_value());
    EXPECT_FALSE(link->is_tls());
    EXPECT_EQ(link->tls_facts().version, "");
    EXPECT_EQ(link->tls_name(), "");

    auto [near, far] = unix_pair();
    const LinkPtr local = Link::create(loop.reactor, std::move(far), Side::client);
    EXPECT_EQ(local->remote().family, Address::Family::unix_socket);
    EXPECT_EQ(local->local_port(), 0);
    EXPECT_EQ(local->peer_uid(), ::getuid());
}

}  // namespace
}  // namespace pgsluice::net
