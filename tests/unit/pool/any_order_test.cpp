// Clients of several workers ask, leave and give back, servers come, move, break and are closed, in thousands of
// orders: nobody waits while a server is idle, nobody is forgotten, and no permit goes missing.
#include <gtest/gtest.h>
#include <support/pool_rig.hpp>

#include <algorithm>
#include <random>

namespace pgsluice::pool {
namespace {

using test::PoolClient;
using test::PoolRig;

constexpr std::size_t workers = 3, clients_of_each = 3;

class AnyOrder {
  public:
    explicit AnyOrder(unsigned seed)
        : random_(seed),
          rig_(config::Pool{.size = 2, .reserve_size = 1, .lifetime = Milliseconds(20000), .check_after_idle = {}},
               workers) {
        for (std::size_t worker = 0; worker < workers; ++worker) {
            for (std::size_t i = 0; i < clients_of_each; ++i) clients_.push_back(&rig_.client(worker));
        }
    }
    void step() {
        const std::size_t who = pick(clients_.size());
        PoolClient& client = *clients_[who];
        const std::size_t worker = pick(workers);
        switch (pick(10)) {
            case 0:
            case 1:
            case 2:
                if (client.server == nullptr && !client.waits) client.ask();
                break;
            case 3:
            case 4: client.leave(); break;
            case 5:
                if (rig_.host(worker).dials() > 0) rig_.host(worker).open();
                break;
            case 6:
                if (rig_.host(worker).dials() > 0) rig_.host(worker).refuse(wire::fatal("08006", "no"), pick(2) == 0);
                break;
            case 7:
                if (pick(4) == 0)
                    rig_.lose_what_moves();
                else
                    rig_.carry();
                break;
            case 8:
                if (client.server != nullptr && pick(2) == 0)
                    client.server->doom(metrics::ServerClose::server_shutdown);
                else if (client.server != nullptr)
                    rig_.host(who / clients_of_each).fake_of(*client.server).peer.lose();
                break;
            default: rig_.advance(Milliseconds(pick(3000)));
        }
        EXPECT_LE(rig_.permits().open(), 3U);
    }
    // All servers come back and every dial succeeds: then everybody who waits is served.
    void expect_everybody_is_served() {
        for (int round = 0; round < 100 && anybody_waits(); ++round) {
            rig_.advance(Milliseconds(100));
            rig_.carry();
            for (std::size_t worker = 0; worker < workers; ++worker) {
                while (rig_.host(worker).dials() > 0) rig_.host(worker).open();
            }
            rig_.carry();
            EXPECT_FALSE(rig_.idle() > 0 && anybody_waits());
            for (PoolClient* client : clients_) {
                if (client->server != nullptr) client->give_back();
            }
            rig_.carry();
        }
        EXPECT_FALSE(anybody_waits());
        EXPECT_FALSE(rig_.share().anybody_waits());
    }

  private:
    std::size_t pick(std::size_t bound) { return random_() % bound; }
    bool anybody_waits() const {
        return std::any_of(clients_.begin(), clients_.end(), [](const PoolClient* client) { return client->waits; });
    }

    std::mt19937 random_;
    PoolRig rig_;
    std::vector<PoolClient*> clients_;
};

TEST(AnyOrder, of_events_serves_everybody_in_the_end) {
    for (unsigned seed = 0; seed < 3000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        AnyOrder order(seed);
        for (int i = 0; i < 60; ++i) order.step();
        order.expect_everybody_is_served();
        if (testing::Test::HasFailure()) return;
    }
}

}  // namespace
}  // namespace pgsluice::pool
