// A worker as its pools see it, without sockets: dials are answered when the test says so, by servers whose link is a
// FakePeer; servers on their way to another worker and closed ones lie where the test can look at them.
#pragma once

#include <pgsluice/pool/pool.hpp>
#include <pgsluice/pool/upstream.hpp>

#include <support/fake_clock.hpp>
#include <support/fake_peer.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pgsluice::test {

// One server connection: the network's end of it, and the server while a pool owns it.
struct FakeServer {
    FakePeer peer;
    pool::Server* server = nullptr;  // nullptr once it is closed
    metrics::ServerClose closed_for{};

    // What it was sent since the last look, as bytes.
    Bytes take() { return peer.take(); }
    bool is_open() const { return server != nullptr; }
};

// What every fake server reports at its login.
inline const std::vector<wire::Setting>& fake_reports() {
    static const std::vector<wire::Setting> reports{
        {"server_version", "15.14"}, {"client_encoding", "UTF8"}, {"DateStyle", "ISO, MDY"},
        {"TimeZone", "UTC"},         {"application_name", ""},    {"in_hot_standby", "off"},
    };
    return reports;
}

class FakePoolHost final : public pool::Host {
  public:
    explicit FakePoolHost(FakeClock& clock) : clock_(clock) {}

    // --- the test's side ---
    std::size_t dials() const { return dials_.size(); }
    std::size_t dials_of(const pool::Pool& pool) const {
        return static_cast<std::size_t>(
            std::count_if(dials_.begin(), dials_.end(), [&](const Dial& dial) { return dial.pool == &pool; }));
    }
    // The oldest dial ends in a server that has logged in.
    FakeServer& open() {
        const pool::Generation generation = dials_.front().generation;
        pool::Pool& pool = next_dial();
        pool::Server::Facts facts;
        const auto number = static_cast<std::uint64_t>(servers_.size());
        facts.id = static_cast<ServerId>(number);
        facts.label = "db:5432";
        facts.upstream = upstream;
        facts.user_places = user_places;
        facts.process_id = 1000 + static_cast<std::int32_t>(number);
        facts.cancel_secret = "key!";
        facts.reported = reported;
        facts.fingerprint = open_for.value_or(pool.target().fingerprint);
        facts.generation = generation;
        facts.opened_at = clock_.now();
        std::vector<protocol::Parameter> carried;
        for (const auto& [name, value] : facts.reported) {
            if (protocol::is_carried(name)) carried.push_back({name, value, true});
        }
        facts.baseline = table_.intern(std::move(carried));
        if (upstream != nullptr) upstream->begin_connecting(0, 0);
        if (upstream != nullptr) upstream->end_connecting();
        if (user_places != nullptr) user_places->try_take(0);

        servers_.push_back(std::make_shared<FakeServer>());
        FakeServer& fake = *servers_.back();
        auto server = std::make_unique<pool::Server>(std::move(facts), link_of(fake));
        fake.server = server.get();
        fake.peer.attach(*server);
        pool.on_dialed(std::move(server));
        return fake;
    }
    void refuse(const wire::SqlError& why, bool temporary = false) { next_dial().on_dial_failed(why, temporary); }

    // A server that left for another worker is taken out here and given to the pool there, as two loops would do it.
    struct Move {
        WorkerIndex to{};
        std::unique_ptr<pool::Server> server;
        std::string key;  // of its pool
    };
    std::deque<Move>& moves() { return moves_; }
    std::deque<WorkerIndex>& requests() { return requests_; }
    // Pools that seek a sibling's idle server, and the keys of those that were offered a permit.
    std::deque<pool::Pool*>& room_requests() { return room_requests_; }
    std::deque<std::string>& room_offers() { return room_offers_; }
    std::deque<WorkerIndex>& offered_to() { return offered_to_; }  // their workers, in the same order
    FakeServer& fake_of(const pool::Server& server) { return *shared_fake_of(server); }
    // Receives what a sibling's host has sent on its way.
    void receive(FakePoolHost& from, pool::Pool& pool, protocol::StatementCache& cache) {
        Move move = std::move(from.moves_.front());
        from.moves_.pop_front();
        servers_.push_back(from.shared_fake_of(*move.server));
        const auto luggage = move.server->pack();
        move.server->unpack(link_of(*servers_.back()), luggage, cache);
        pool.on_moved_in(std::move(move.server));
    }
    // The same, where the connection has broken on the way.
    void lose(FakePoolHost& from, pool::Pool& pool) {
        Move move = std::move(from.moves_.front());
        from.moves_.pop_front();
        from.fake_of(*move.server).server = nullptr;
        pool.on_lost_in_move(*move.server);
    }

    FakeServer& server(std::size_t number) { return *servers_.at(number); }
    std::size_t servers() const { return servers_.size(); }
    // One turn of the loop for every server's link, and the end of what was closed. True if anything happened.
    bool turn() {
        bool any = !graves_.empty();
        graves_.clear();
        for (std::size_t i = 0; i < servers_.size(); ++i) {
            if (servers_[i]->is_open()) any |= servers_[i]->peer.turn();
        }
        return any;
    }
    std::int64_t gauge(metrics::ServerState state) {
        std::int64_t sum = 0;
        for (auto& [label, set] : metrics_) sum += set->servers[state].value();
        return sum;
    }
    metrics::PoolMetrics& pool_metrics() { return set_of("*"); }
    // Whom every fake server counts at; none unless a test sets it.
    std::shared_ptr<pool::Upstream> upstream;
    Milliseconds reading_takes{0};                         // how far the clock goes whenever it is read
    std::vector<wire::Setting> reported = fake_reports();  // by a server at its login
    std::shared_ptr<pool::ServerPlaces> user_places;
    // The fingerprint of the target that dials end for; the pool's own unless a test sets it.
    std::optional<std::uint64_t> open_for;
    // The lifetimes of servers are spread by this.
    std::uint64_t next_random = 0;
    // Told when a server has gone, before it is freed.
    std::vector<metrics::ServerClose> closes;
    // Cancels that the pool itself has asked for. They end when a test says so.
    std::vector<const pool::Server*> cancels;

    // --- the pool's side ---
    TimePoint now() const override { return clock_.now(); }
    TimePoint read_clock() override { return clock_.advance(reading_takes); }
    std::uint64_t random(std::uint64_t bound) override { return bound == 0 ? 0 : next_random % bound; }
    void dial(pool::Pool& pool) override { dials_.push_back({&pool, pool.share().generation()}); }
    void repeat_cancel(pool::Pool&, pool::Server& server) override { cancels.push_back(&server); }
    void bury(std::unique_ptr<pool::Server> server) override { graves_.push_back(std::move(server)); }
    void move(WorkerIndex to, pool::Pool& pool, std::unique_ptr<pool::Server> server) override {
        moves_.push_back({to, std::move(server), pool.key()});
    }
    void ask_for_idle(WorkerIndex worker, pool::Pool&) override { requests_.push_back(worker); }
    void make_room(pool::Pool& pool) override { room_requests_.push_back(&pool); }
    void offer_room(WorkerIndex to, const std::string& key) override {
        room_offers_.push_back(key);
        offered_to_.push_back(to);
    }
    void on_server_closed(pool::Pool&, const pool::Server& server, metrics::ServerClose reason) override {
        closes.push_back(reason);
        for (auto& fake : servers_) {
            if (fake->server != &server) continue;
            fake->server = nullptr;
            fake->closed_for = reason;
        }
    }
    metrics::PoolMetrics& metrics_of(pool::Pool&, const std::string& label) override { return set_of(label); }
    protocol::ParameterTable& parameters() override { return table_; }

  private:
    static PeerPtr link_of(FakeServer& fake) {
        return {&fake.peer, [](Peer*) {}};
    }
    std::shared_ptr<FakeServer> shared_fake_of(const pool::Server& server) {
        for (auto& fake : servers_) {
            if (fake->server == &server) return fake;
        }
        std::abort();
    }
    pool::Pool& next_dial() {
        pool::Pool& pool = *dials_.front().pool;
        dials_.pop_front();
        return pool;
    }
    metrics::PoolMetrics& set_of(const std::string& label) {
        auto& set = metrics_[label];
        if (set == nullptr) set = std::make_unique<metrics::PoolMetrics>();
        return *set;
    }

    FakeClock& clock_;
    protocol::ParameterTable table_;
    std::map<std::string, std::unique_ptr<metrics::PoolMetrics>> metrics_;
    std::vector<std::shared_ptr<FakeServer>> servers_;  // shared with the hosts that they moved to
    std::vector<std::unique_ptr<pool::Server>> graves_;
    struct Dial {
        pool::Pool* pool;
        pool::Generation generation;
    };
    std::deque<Dial> dials_;
    std::deque<Move> moves_;
    std::deque<WorkerIndex> requests_;
    std::deque<pool::Pool*> room_requests_;
    std::deque<std::string> room_offers_;
    std::deque<WorkerIndex> offered_to_;
};

}  // namespace pgsluice::test
