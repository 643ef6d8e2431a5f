// What is made of a descriptor's events, and what links may do from inside a round of them, seen through links.
#include "loop.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <future>
#include <memory>
#include <thread>
#include <vector>

namespace {

int refusals = 0;  // of changes to what a descriptor is watched for

}  // namespace

// In front of the C library's.
extern "C" int epoll_ctl(int set, int operation, int fd, epoll_event* event) noexcept {
    if (operation == EPOLL_CTL_MOD && refusals > 0) {
        --refusals;
        errno = ENOMEM;
        return -1;
    }
    return static_cast<int>(::syscall(SYS_epoll_ctl, set, operation, fd, event));
}

namespace pgsluice::net {
namespace {

struct ReadinessTest : testing::Test {
    Loop loop;
    Descriptor peer;
    LinkPtr link;
    RecordingSink sink;

    void SetUp() override {
        auto [near, far] = unix_pair();
        shrink_buffers(near);
        shrink_buffers(far);
        peer = std::move(near);
        link = Link::create(loop.reactor, std::move(far), Side::client);
        link->start(sink);
        loop.poll();
    }

    static std::size_t read_all(const Descriptor& from) {
        std::size_t total = 0;
        char buffer[65536];
        for (ssize_t count = 0; (count = ::recv(from.get(), buffer, sizeof buffer, 0)) > 0;)
            total += static_cast<std::size_t>(count);
        return total;
    }
    static void send(const Descriptor& to, ByteView text) {
        ASSERT_EQ(::send(to.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
    }
    bool has_ended(const Descriptor& side) {
        char byte = 0;
        return loop.run_until([&] { return ::recv(side.get(), &byte, 1, 0) == 0; });
    }
    void fill() {
        link->write(pattern(1'000'000));
        ASSERT_TRUE(link->congested());
    }
};

TEST_F(ReadinessTest, a_link_may_be_dropped_where_it_reads_while_its_write_waits) {
    fill();
    sink.consume = [&](ByteView bytes) {
        link.reset();
        return bytes.size();
    };
    send(peer, "bye");
    ASSERT_TRUE(loop.run_until([&] { return sink.calls == 1; }));
    read_all(peer);
    EXPECT_TRUE(has_ended(peer));
    EXPECT_EQ(sink.drained, 0);
}

TEST_F(ReadinessTest, a_link_may_be_dropped_where_it_reads_in_the_round_that_tells_it_to_write) {
    fill();
    sink.consume = [&](ByteView bytes) {
        link.reset();
        return bytes.size();
    };
    send(peer, "bye");
    read_all(peer);  // so that there is room when the loop looks
    ASSERT_TRUE(loop.run_until([&] { return sink.calls == 1; }));
    read_all(peer);
    EXPECT_TRUE(has_ended(peer));
    EXPECT_EQ(sink.calls, 1);
}

// The new one may stand where the old one stood, and have its descriptor.
TEST_F(ReadinessTest, a_link_that_takes_the_place_of_one_dropped_in_the_same_call_hears_and_writes) {
    Descriptor new_peer;
    LinkPtr other;
    RecordingSink of_other;
    fill();
    sink.consume = [&](ByteView bytes) {
        link.reset();
        auto [near, far] = unix_pair();
        shrink_buffers(far);
        new_peer = std::move(near);
        other = Link::create(loop.reactor, std::move(far), Side::client);
        other->start(of_other);
        other->write(pattern(1'000'000));
        return bytes.size();
    };
    send(peer, "bye");
    read_all(peer);
    ASSERT_TRUE(loop.run_until([&] { return other != nullptr; }));
    send(new_peer, "hello");
    EXPECT_TRUE(loop.run_until([&] { return of_other.received == "hello"; }));
    std::size_t taken = 0;
    EXPECT_TRUE(loop.run_until([&] { return (taken += read_all(new_peer)) == 1'000'000; }));
    EXPECT_TRUE(loop.run_until([&] { return of_other.drained == 1; }));
    EXPECT_EQ(sink.calls, 1);
}

TEST_F(ReadinessTest, an_end_that_came_with_bytes_on_which_the_link_pauses_is_noticed_at_once) {
    sink.consume = [&](ByteView bytes) {
        link->pause(Pause::no_server);
        return bytes.size();
    };
    send(peer, "question");
    peer.reset();
    EXPECT_TRUE(loop.run_until([&] { return sink.closed.has_value(); }));
    EXPECT_EQ(sink.closed, Closed::by_peer);
    EXPECT_EQ(sink.received, "question");
}

// Whichever of the two has its turn first.
TEST_F(ReadinessTest, a_link_that_another_one_drops_in_the_same_round_of_events_hears_nothing) {
    auto [near, far] = unix_pair();
    LinkPtr other = Link::create(loop.reactor, std::move(far), Side::client);
    RecordingSink of_other;
    other->start(of_other);
    loop.poll();
    sink.consume = [&](ByteView bytes) {
        other.reset();
        return bytes.size();
    };
    of_other.consume = [&](ByteView bytes) {
        link.reset();
        return bytes.size();
    };
    send(peer, "one");
    send(near, "other");
    ASSERT_TRUE(loop.run_until([&] { return sink.calls + of_other.calls > 0; }));
    loop.run_for(Milliseconds(5));
    EXPECT_EQ(sink.calls + of_other.calls, 1);
    EXPECT_EQ(link == nullptr, other != nullptr);
}

// More of them than one look takes.
TEST_F(ReadinessTest, what_asio_waits_for_itself_is_told_of_to_the_last) {
    std::vector<Descriptor> senders;
    std::vector<std::unique_ptr<boost::asio::posix::stream_descriptor>> waiters;
    std::size_t heard = 0;
    for (int count = 0; count < 300; ++count) {
        auto [near, far] = unix_pair();
        waiters.push_back(std::make_unique<boost::asio::posix::stream_descriptor>(loop.io, far.release()));
        waiters.back()->async_wait(boost::asio::posix::stream_descriptor::wait_read, [&](const error_code& error) {
            if (!error) ++heard;
        });
        senders.push_back(std::move(near));
    }
    for (const Descriptor& sender : senders) send(sender, "x");
    EXPECT_TRUE(loop.run_until([&] { return heard == senders.size(); }));
}

TEST_F(ReadinessTest, timers_and_posts_of_others_come_while_links_are_never_quiet) {
    sink.consume = [&](ByteView bytes) {
        send(peer, "more");
        return bytes.size();
    };
    send(peer, "first");
    bool has_rung = false;
    boost::asio::steady_timer timer(loop.io, std::chrono::milliseconds(5));
    timer.async_wait([&](const error_code& error) { has_rung = !error; });
    EXPECT_TRUE(loop.run_until([&] { return has_rung; }));
    std::atomic<bool> was_posted = false;
    std::thread([&] { boost::asio::post(loop.io, [&] { was_posted = true; }); }).join();
    EXPECT_TRUE(loop.run_until([&] { return was_posted.load(); }));
    EXPECT_GT(sink.calls, 2);
}

// io_context::run() goes from round to round by itself while only links hear of something.
TEST_F(ReadinessTest, a_loop_that_waits_without_limit_hears_of_links_posts_timers_and_its_stop) {
    std::promise<void> came, posted, rung;
    sink.consume = [&](ByteView bytes) {
        if (bytes.ends_with("2")) came.set_value();
        return bytes.size();
    };
    loop.io.restart();
    std::thread worker([&] { loop.io.run(); });
    const auto soon = [](std::promise<void>& promise) { return promise.get_future().wait_for(patience); };
    send(peer, "1");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    send(peer, "2");
    EXPECT_EQ(soon(came), std::future_status::ready);
    boost::asio::post(loop.io, [&] { posted.set_value(); });
    EXPECT_EQ(soon(posted), std::future_status::ready);
    boost::asio::steady_timer timer(loop.io);
    boost::asio::post(loop.io, [&] {
        timer.expires_after(std::chrono::milliseconds(5));
        timer.async_wait([&](const error_code& error) {
            if (!error) rung.set_value();
        });
    });
    EXPECT_EQ(soon(rung), std::future_status::ready);
    loop.io.stop();
    worker.join();
}

// As a sink may do it.
TEST_F(ReadinessTest, a_link_may_stop_the_loop_and_post_to_it) {
    bool was_posted = false;
    sink.consume = [&](ByteView bytes) {
        boost::asio::post(loop.io, [&] {
            was_posted = true;
            loop.io.stop();
        });
        return bytes.size();
    };
    send(peer, "x");
    loop.io.restart();
    loop.io.run();
    EXPECT_TRUE(was_posted);
    sink.consume = [&](ByteView bytes) {
        loop.io.stop();
        return bytes.size();
    };
    send(peer, "y");
    loop.io.restart();
    loop.io.run();
    EXPECT_EQ(sink.received, "xy");
}

TEST_F(ReadinessTest, what_came_while_a_link_was_paused_is_read_when_it_goes_on) {
    link->pause(Pause::slow_reader);
    send(peer, "first ");
    loop.run_for(Milliseconds(5));
    send(peer, "second");
    loop.run_for(Milliseconds(5));
    EXPECT_EQ(sink.calls, 0);
    link->resume(Pause::slow_reader);
    EXPECT_TRUE(loop.run_until([&] { return sink.received == "first second"; }));
    send(peer, ", and on");
    EXPECT_TRUE(loop.run_until([&] { return sink.received == "first second, and on"; }));
}

TEST_F(ReadinessTest, what_waits_is_written_also_where_the_kernel_refuses_to_tell_when) {
    refusals = 2;
    fill();
    std::size_t taken = 0;
    EXPECT_TRUE(loop.run_until([&] { return (taken += read_all(peer)) == 1'000'000; }));
    EXPECT_TRUE(loop.run_until([&] { return sink.drained == 1; }));
    EXPECT_EQ(refusals, 0);
}

}  // namespace
}  // namespace pgsluice::net
