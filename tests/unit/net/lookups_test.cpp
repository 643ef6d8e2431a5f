#include "lookups.hpp"

#include "loop.hpp"

#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <new>
#include <thread>
#include <utility>

namespace pgsluice::net {
namespace {

namespace asio = boost::asio;

const Address home = *Address::parse("127.0.0.1");

// A name service that is silent about "silent" until it is let go, and knows all other names.
struct Service {
    std::promise<void> let_go;
    std::shared_future<void> gone{let_go.get_future()};
    std::shared_ptr<std::atomic<int>> asked = std::make_shared<std::atomic<int>>(0);

    Lookups lookups{[gone = gone, asked = asked](const std::string& host) {
        ++*asked;
        if (host == "silent") gone.wait();
        return HostAnswer{{home}};
    }};
};

asio::awaitable<std::optional<HostAnswer>> wait_for(asio::io_context& io, Lookups& lookups, std::string host,
                                                    Milliseconds time) {
    Handover<HostAnswer> handover(io, in(time));
    lookups.join(host, handover.giver());
    co_return co_await handover.wait();
}

TEST(Lookups, several_who_ask_at_once_get_one_answer) {
    Service service;
    Loop loop;
    int answers = 0;
    for (int i = 0; i < 5; ++i) {
        asio::co_spawn(loop.io, wait_for(loop.io, service.lookups, "silent", Milliseconds(60'000)),
                       [&](const std::exception_ptr&, const std::optional<HostAnswer>& answer) {
                           answers += answer && answer->addresses == std::vector{home};
                       });
    }
    loop.poll();
    service.let_go.set_value();
    EXPECT_TRUE(loop.run_until([&] { return answers == 5; }));
    EXPECT_EQ(*service.asked, 1);
}

TEST(Lookups, a_name_that_hangs_keeps_no_other_waiting) {
    Service service;
    Loop loop;
    EXPECT_FALSE(loop.await(wait_for(loop.io, service.lookups, "silent", Milliseconds(20))).has_value());
    EXPECT_TRUE(loop.await(wait_for(loop.io, service.lookups, "known", Milliseconds(5000))).has_value());
    // Who gave up may ask again, and does not cost another thread.
    EXPECT_FALSE(loop.await(wait_for(loop.io, service.lookups, "silent", Milliseconds(20))).has_value());
    EXPECT_EQ(*service.asked, 2);
    service.let_go.set_value();
}

TEST(Lookups, a_name_that_no_thread_could_be_made_for_may_be_asked_for_again) {
    int starts = 0;
    const auto fails_once = [&](std::function<void()> work) {
        if (++starts == 1) throw std::bad_alloc();
        std::thread(std::move(work)).detach();
    };
    Lookups lookups{[](const std::string&) { return HostAnswer{{home}}; }, fails_once};
    Loop loop;
    const Handover<HostAnswer> unanswered(loop.io, in(Milliseconds(5000)));
    EXPECT_THROW(lookups.join("known", unanswered.giver()), std::bad_alloc);
    EXPECT_TRUE(loop.await(wait_for(loop.io, lookups, "known", Milliseconds(5000))).has_value());
    EXPECT_EQ(starts, 2);
}

TEST(Lookups, that_are_forgotten_come_to_nobody) {
    Service service;
    Loop loop;
    int answers = 0, ends = 0;
    const auto ask = [&](Milliseconds time) {
        asio::co_spawn(loop.io, wait_for(loop.io, service.lookups, "silent", time),
                       [&](const std::exception_ptr&, const std::optional<HostAnswer>& answer) {
                           answers += answer.has_value();
                           ++ends;
                       });
        loop.poll();
    };
    ask(Milliseconds(300));
    service.lookups.forget_all();
    service.let_go.set_value();
    EXPECT_TRUE(loop.run_until([&] { return ends == 1; }));
    EXPECT_EQ(answers, 0);
    ask(Milliseconds(5000));
    EXPECT_TRUE(loop.run_until([&] { return ends == 2; }));
    EXPECT_EQ(answers, 1);
}

TEST(Lookups, the_loop_and_all_may_go_while_a_lookup_is_under_way) {
    const auto asked = [] {
        auto service = std::make_unique<Service>();
        Loop loop;
        asio::co_spawn(loop.io, wait_for(loop.io, service->lookups, "silent", Milliseconds(60'000)), asio::detached);
        loop.poll();
        return service;
    };
    auto service = asked();
    // Goes with what the thread shares with its lookups, which is the last thing of it.
    const std::weak_ptr<std::atomic<int>> held_by_thread = service->asked;
    service->let_go.set_value();
    service.reset();
    Loop other;
    EXPECT_TRUE(other.run_until([&] { return held_by_thread.expired(); }));
}

}  // namespace
}  // namespace pgsluice::net
