// Clients of pools that share their permits ask, leave and give back, servers come, break and are closed, offers of
// room are late, in thousands of orders: everybody is served in the end, and no server is opened in vain.
#include <gtest/gtest.h>
#include <support/fake_pool_host.hpp>
#include <support/pool_rig.hpp>

#include <algorithm>
#include <random>

namespace pgsluice::pool {
namespace {

using test::PoolClient;

// Two workers with three pools each.
class SiblingsInAnyOrder {
  public:
    explicit SiblingsInAnyOrder(unsigned seed) : random_(seed), size_(1 + static_cast<std::uint32_t>(pick(3))) {
        auto target = std::make_shared<Target>();
        target->settings.size = size_;
        target->settings.check_after_idle = {};
        for (const char* key : {"a", "b", "c"}) {
            const auto share = std::make_shared<Share>(2, permits_);
            for (std::size_t worker = 0; worker < 2; ++worker) {
                auto& host = hosts_[worker];
                pools_.push_back(std::make_unique<Pool>(
                    Pool::Setup{key, target, share, static_cast<WorkerIndex>(worker), &host, &host.pool_metrics()}));
                for (int i = 0; i < 2; ++i) clients_.push_back(std::make_unique<PoolClient>(*pools_.back()));
            }
        }
    }
    ~SiblingsInAnyOrder() {
        for (auto& client : clients_) client->leave();
        settle();
        for (auto& pool : pools_) pool->retire_servers(metrics::ServerClose::shutdown);
        PGSLUICE_CHECK(permits_->open() == 0 && !permits_->claims().any());
    }
    SiblingsInAnyOrder(const SiblingsInAnyOrder&) = delete;
    SiblingsInAnyOrder& operator=(const SiblingsInAnyOrder&) = delete;

    void step() {
        PoolClient& client = *clients_[pick(clients_.size())];
        test::FakePoolHost& host = hosts_[pick(2)];
        clock_.advance(Milliseconds(pick(5)));
        switch (pick(10)) {
            case 0:
            case 1:
            case 2:
                if (client.server == nullptr && !client.waits) client.ask();
                break;
            case 3: client.leave(); break;
            case 4:
                if (client.server != nullptr) client.server->doom(metrics::ServerClose::lifetime);
                break;
            case 5:
                if (host.dials() > 0) host.open();
                break;
            case 6:
                if (host.dials() > 0) host.refuse(wire::fatal("08006", "no"), pick(2) == 0);
                break;
            case 7: carry_one(pick(2)); break;
            case 8: pools_[pick(pools_.size())]->sweep(clock_.now()); break;
            default: Pool& pool = *pools_[pick(pools_.size())]; pool.is_paused() ? pool.resume() : pool.pause();
        }
        EXPECT_LE(permits_->open(), size_);
    }
    // From here on servers come back and dials succeed. Each client waits once, so each needs one server at most.
    void expect_everybody_is_served() {
        for (auto& pool : pools_) pool->resume();
        const std::size_t opened_before = hosts_[0].servers() + hosts_[1].servers();
        for (int round = 0; round < 100 && anybody_waits(); ++round) {
            clock_.advance(Milliseconds(1001));
            for (auto& pool : pools_) pool->sweep(clock_.now());
            settle();
            for (auto& client : clients_) {
                if (client->server != nullptr) client->give_back();
            }
            settle();
        }
        EXPECT_FALSE(anybody_waits());
        EXPECT_LE(hosts_[0].servers() + hosts_[1].servers() - opened_before, 2 * clients_.size());
    }

  private:
    std::size_t pick(std::size_t bound) { return random_() % bound; }
    bool anybody_waits() const {
        return std::any_of(clients_.begin(), clients_.end(), [](const auto& client) { return client->waits; });
    }
    Pool& pool_of(const std::string& key, std::size_t worker) {
        return *pools_[static_cast<std::size_t>(key[0] - 'a') * 2 + worker];
    }
    bool carry_one(std::size_t from) {
        test::FakePoolHost& host = hosts_[from];
        const std::size_t to = 1 - from;
        bool any = host.turn();
        if (!host.room_requests().empty()) {
            seek_room(*host.room_requests().front());
            host.room_requests().pop_front();
            any = true;
        }
        if (!host.room_offers().empty()) {
            const std::string key = host.room_offers().front();
            const std::size_t told = number(host.offered_to().front());
            host.room_offers().pop_front();
            host.offered_to().pop_front();
            pool_of(key, told).on_room_made();
            any = true;
        }
        if (!host.requests().empty()) {
            host.requests().pop_front();
            for (const char* key : {"a", "b", "c"}) pool_of(key, to).serve_others();
            any = true;
        }
        if (!host.moves().empty()) {
            hosts_[to].receive(host, pool_of(host.moves().front().key, to), caches_[to]);
            any = true;
        }
        return any;
    }
    void seek_room(Pool& asker) {
        const bool made = std::any_of(pools_.begin(), pools_.end(), [&](auto& pool) {
            return pool->evict_idle({nullptr, permits_, &asker.share()});
        });
        asker.on_room_sought(made);
    }
    // Between two rounds of clients little can happen: a permit that goes round for ever is a failure.
    void settle() {
        int turns = 0;
        for (bool any = true; any && turns < 1000; ++turns) {
            any = carry_one(0) | carry_one(1);
            for (auto& host : hosts_) {
                if (host.dials() == 0) continue;
                host.open();
                any = true;
            }
        }
        EXPECT_LT(turns, 1000);
    }

    std::mt19937 random_;
    const std::uint32_t size_;
    test::FakeClock clock_;
    std::shared_ptr<Permits> permits_ = std::make_shared<Permits>(2);
    std::array<protocol::StatementCache, 2> caches_{protocol::StatementCache{{1, 2}}, protocol::StatementCache{{2, 2}}};
    std::array<test::FakePoolHost, 2> hosts_{test::FakePoolHost(clock_), test::FakePoolHost(clock_)};
    std::vector<std::unique_ptr<Pool>> pools_;
    std::vector<std::unique_ptr<PoolClient>> clients_;
};

TEST(SiblingsInAnyOrder, are_all_served_in_the_end) {
    for (unsigned seed = 0; seed < 3000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        SiblingsInAnyOrder order(seed);
        for (int i = 0; i < 80; ++i) order.step();
        order.expect_everybody_is_served();
        if (testing::Test::HasFailure()) return;
    }
}

}  // namespace
}  // namespace pgsluice::pool
