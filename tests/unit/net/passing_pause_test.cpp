// A peer that ends while its link is paused for a reason that passes.
#include "loop.hpp"

#include <gtest/gtest.h>

namespace pgsluice::net {
namespace {

struct PassingPause : testing::TestWithParam<Pause> {
    Loop loop;
    Descriptor peer;
    LinkPtr link;
    RecordingSink sink;

    void SetUp() override {
        auto [near, far] = tcp_pair();
        peer = std::move(near);
        link = Link::create(loop.reactor, std::move(far), Side::client);
        link->start(sink);
        link->pause(GetParam());
        ASSERT_EQ(::send(peer.get(), "last words", 10, MSG_NOSIGNAL), 10);
    }
};

INSTANTIATE_TEST_SUITE_P(, PassingPause, testing::Values(Pause::slow_reader, Pause::unread, Pause::ahead));

TEST_P(PassingPause, what_came_before_an_orderly_end_is_heard) {
    peer.reset();
    loop.run_for(Milliseconds(5));
    link->check_paused();
    EXPECT_FALSE(sink.closed.has_value());
    link->resume(GetParam());
    ASSERT_TRUE(loop.run_until([&] { return sink.closed.has_value(); }));
    EXPECT_EQ(*sink.closed, Closed::by_peer);
    EXPECT_EQ(sink.received, "last words");
}

TEST_P(PassingPause, a_peer_that_breaks_off_is_missed_at_once) {
    const linger abort{1, 0};
    ::setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    peer.reset();
    ASSERT_TRUE(loop.run_until([&] { return sink.closed.has_value(); }));
    EXPECT_EQ(*sink.closed, Closed::reset);
    EXPECT_EQ(sink.received, "");
}

TEST_P(PassingPause, with_another_that_does_not_pass_an_end_is_missed_at_once) {
    link->pause(Pause::held);
    peer.reset();
    ASSERT_TRUE(loop.run_until([&] { return sink.closed.has_value(); }));
    EXPECT_EQ(sink.received, "");
}

}  // namespace
}  // namespace pgsluice::net
