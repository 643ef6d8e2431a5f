// The relay path allocates nothing per message once it is warm.
#include "loop.hpp"
#include "support/allocations.hpp"

#include <gtest/gtest.h>

namespace pgsluice::net {
namespace {

// Answers every message through the other link, as a session does, and pauses and resumes on the way.
struct Relay final : Sink {
    Link* from = nullptr;
    Link* to = nullptr;
    std::size_t on_bytes(ByteView bytes) override {
        to->write(bytes);
        from->pause(Pause::held);
        from->resume(Pause::held);
        return bytes.size();
    }
    void on_drained() override {}
    void on_closed(Closed) override {}
};

TEST(Allocation, NonePerMessage) {
    for (const bool over_tcp : {true, false}) {
        Loop loop;
        auto [client, client_far] = over_tcp ? tcp_pair() : unix_pair();
        auto [server, server_far] = over_tcp ? tcp_pair() : unix_pair();
        const LinkPtr to_client = Link::create(loop.reactor, std::move(client_far), Side::client);
        const LinkPtr to_server = Link::create(loop.reactor, std::move(server_far), Side::server);
        Relay up;
        Relay down;
        up.from = down.to = to_client.get();
        up.to = down.from = to_server.get();
        to_client->start(up);
        to_server->start(down);

        const auto round_trips = [&](int count) {
            char bytes[8];
            for (int round = 0; round < count; ++round) {
                ::send(client.get(), "question", 8, MSG_NOSIGNAL);
                while (::recv(server.get(), bytes, 8, MSG_DONTWAIT) != 8) loop.poll();
                ::send(server.get(), "answer..", 8, MSG_NOSIGNAL);
                while (::recv(client.get(), bytes, 8, MSG_DONTWAIT) != 8) loop.poll();
            }
        };
        round_trips(10);
        const std::size_t before = test::allocations();
        round_trips(1000);
        EXPECT_EQ(test::allocations() - before, 0U) << (over_tcp ? "tcp" : "unix");
    }
}

}  // namespace
}  // namespace pgsluice::net
