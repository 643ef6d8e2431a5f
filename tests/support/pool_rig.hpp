// One pool on as many workers as a test wants: what carries servers and requests between them, and clients that use
// servers or wait for them. When it goes, every client leaves, and nothing may be missing.
#pragma once

#include <pgsluice/pool/pool.hpp>

#include <support/fake_pool_host.hpp>
#include <support/messages.hpp>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace pgsluice::test {

inline constexpr std::array server_states{metrics::ServerState::connecting, metrics::ServerState::idle,
                                          metrics::ServerState::active,     metrics::ServerState::checking,
                                          metrics::ServerState::resetting,  metrics::ServerState::cancelling};

// A client of a pool, without a session: it takes whatever its server says.
struct PoolClient final : pool::ServerUser, pool::Waiter {
    pool::Pool& pool;
    pool::Server* server = nullptr;
    bool waits = false;
    std::optional<wire::SqlError> refused;
    Bytes heard;
    protocol::ParameterSetRef wants;  // nullptr: what a fresh server has
    std::function<void()> and_then;   // told when a server has been granted

    explicit PoolClient(pool::Pool& of) : pool(of) {}
    void ask() {
        server = pool.acquire(*this, *this);
        waits = server == nullptr;
    }
    void give_back() { pool.check_in(*std::exchange(server, nullptr)); }
    void leave() {
        if (waits) pool.withdraw(*this);
        waits = false;
        if (server != nullptr) give_back();
    }
    // A message goes to the server, and its reply is owed.
    void send(ByteView message, protocol::Asked asked) {
        server->exchange().owe(asked);
        server->link().write(message);
    }

    const protocol::ParameterSet* wanted_settings() const override { return wants.get(); }
    void on_granted(pool::Server& granted) override {
        server = &granted;
        waits = false;
        if (and_then) and_then();
    }
    void on_refused(const wire::SqlError& why) override {
        refused = why;
        waits = false;
    }
    std::size_t on_server_bytes(pool::Server&, ByteView bytes) override {
        heard += bytes;
        return bytes.size();
    }
    void on_server_drained(pool::Server&) override {}
    void on_server_lost(pool::Server& lost) override {
        server = nullptr;
        pool.discard(lost, metrics::ServerClose::lost);
    }
};

struct PoolRigOptions {
    config::Pool pool{.size = 1};
    std::size_t workers = 1;
    std::uint32_t max_connecting = 2;
    config::TargetSessionAttrs session_attrs = config::TargetSessionAttrs::any;
    std::vector<wire::Setting> startup{};
    Milliseconds abandoned{5000};
    std::uint32_t max_user_connections = 0;
};

class PoolRig {
  public:
    using Options = PoolRigOptions;

    explicit PoolRig(Options options = {})
        : options_(options),
          share_(std::make_shared<pool::Share>(options.workers, std::make_shared<pool::Permits>(options.workers))) {
        for (std::size_t i = 0; i < options.workers; ++i) {
            workers_.push_back(std::make_unique<Worker>(clock_));
            Worker& made = *workers_.back();
            made.host.upstream = upstream_;
            made.host.user_places = user_places_;
            made.pool = std::make_unique<pool::Pool>(pool::Pool::Setup{
                "pool", target(), share_, static_cast<WorkerIndex>(i), &made.host, &made.host.pool_metrics()});
        }
    }
    explicit PoolRig(config::Pool settings, std::size_t workers = 1)
        : PoolRig(Options{.pool = settings, .workers = workers}) {}
    PoolRig(const PoolRig&) = delete;
    PoolRig& operator=(const PoolRig&) = delete;
    ~PoolRig() {
        for (auto& client : clients_) client->leave();
        carry();
        while (dials() > 0) refuse(true);
        PGSLUICE_CHECK(!share_->anybody_waits());
        PGSLUICE_CHECK(share_->permits().open() == open_servers() && share_->servers() == open_servers());
        for (auto& worker : workers_) worker->pool.reset();
        PGSLUICE_CHECK(share_->permits().open() == 0 && upstream_->open() == 0 && user_places_->open() == 0);
        for (auto& worker : workers_) {
            for (const auto state : server_states) PGSLUICE_CHECK(worker->host.gauge(state) == 0);
        }
    }

    // --- Clients
    PoolClient& client(std::size_t worker = 0) {
        clients_.push_back(std::make_unique<PoolClient>(pool(worker)));
        return *clients_.back();
    }
    // One that has asked for a server, and perhaps got it.
    PoolClient& asks(std::size_t worker = 0) {
        PoolClient& made = client(worker);
        made.ask();
        return made;
    }
    // One that has a server, opened for it where none is idle.
    PoolClient& holder(std::size_t worker = 0) {
        PoolClient& made = asks(worker);
        if (made.server == nullptr) host(worker).open();
        PGSLUICE_CHECK(made.server != nullptr);
        return made;
    }

    // --- Between the workers
    // Everything that is on its way arrives, and what that sets going too.
    void carry() {
        for (bool any = true; any;) {
            any = false;
            for (auto& from : workers_) {
                if (!from->host.requests().empty()) {
                    const WorkerIndex asked = from->host.requests().front();
                    from->host.requests().pop_front();
                    pool(number(asked)).serve_others();
                    any = true;
                }
                if (!from->host.moves().empty()) {
                    Worker& to = *workers_[number(from->host.moves().front().to)];
                    to.host.receive(from->host, *to.pool, to.cache);
                    any = true;
                }
                if (!from->host.offered_to().empty()) {
                    const WorkerIndex told = from->host.offered_to().front();
                    from->host.offered_to().pop_front();
                    pool(number(told)).on_room_made();
                    any = true;
                }
                any |= from->host.turn();
            }
        }
    }
    // Servers on their way break.
    void lose_what_moves() {
        for (auto& from : workers_) {
            while (!from->host.moves().empty()) {
                Worker& to = *workers_[number(from->host.moves().front().to)];
                to.host.lose(from->host, *to.pool);
            }
        }
    }
    void advance(TimePoint::duration by) {
        clock_.advance(by);
        for (auto& worker : workers_) worker->pool->sweep(clock_.now());
        for (auto& worker : workers_) worker->host.turn();
    }
    void refuse(bool temporary = false) {
        for (auto& worker : workers_) {
            if (worker->host.dials() == 0) continue;
            worker->host.refuse(wire::fatal("08006", "no such host"), temporary);
            return;
        }
    }

    // --- What there is
    pool::Pool& pool(std::size_t worker = 0) { return *workers_.at(worker)->pool; }
    FakePoolHost& host(std::size_t worker = 0) { return workers_.at(worker)->host; }
    protocol::StatementCache& statements(std::size_t worker = 0) { return workers_.at(worker)->cache; }
    FakeServer& server(std::size_t number) { return host().server(number); }
    pool::Share& share() { return *share_; }
    pool::Permits& permits() { return share_->permits(); }
    pool::Upstream& upstream() { return *upstream_; }
    std::shared_ptr<const pool::Upstream> upstream_ref() const { return upstream_; }
    std::shared_ptr<pool::ServerPlaces> user_places() const { return user_places_; }
    FakeClock& clock() { return clock_; }
    std::size_t dials() const {
        std::size_t sum = 0;
        for (const auto& worker : workers_) sum += worker->host.dials();
        return sum;
    }
    std::int64_t idle() {
        std::int64_t sum = 0;
        for (auto& worker : workers_) sum += worker->host.gauge(metrics::ServerState::idle);
        return sum;
    }
    std::uint32_t open_servers() {
        std::int64_t sum = 0;
        for (auto& worker : workers_) {
            for (const auto state : server_states) sum += worker->host.gauge(state);
            sum -= worker->host.gauge(metrics::ServerState::connecting);
        }
        return static_cast<std::uint32_t>(sum);
    }
    // A target as a reload brings it; `fingerprint` says whether its servers are the same.
    std::shared_ptr<pool::Target> target(std::uint64_t fingerprint = 1) const {
        auto made = std::make_shared<pool::Target>();
        made->route = "main";
        made->settings = options_.pool;
        made->cluster.max_connecting = options_.max_connecting;
        made->session_attrs = options_.session_attrs;
        made->startup = options_.startup;
        made->abandoned = options_.abandoned;
        made->max_user_connections = options_.max_user_connections;
        made->fingerprint = fingerprint;
        return made;
    }

  private:
    struct Worker {
        explicit Worker(FakeClock& clock) : host(clock) {}
        protocol::StatementCache cache{{1, 2}};  // before the servers, which hold statements of it
        FakePoolHost host;
        std::unique_ptr<pool::Pool> pool;
    };

    Options options_;
    FakeClock clock_;
    std::shared_ptr<pool::Upstream> upstream_ = std::make_shared<pool::Upstream>();
    std::shared_ptr<pool::ServerPlaces> user_places_ = std::make_shared<pool::ServerPlaces>();
    std::shared_ptr<pool::Share> share_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::unique_ptr<PoolClient>> clients_;
};

}  // namespace pgsluice::test
