// A whole pgsluice in memory: real sessions, a real pool and its real servers, between clients and servers that are
// FakePeers. Nothing happens unless a test (or a Script) makes it happen; settle() runs what a loop would then run.
#pragma once

#include <pgsluice/session/session.hpp>

#include <support/fake_pool_host.hpp>
#include <support/messages.hpp>

#include <algorithm>
#include <optional>
#include <set>

namespace pgsluice::test {

struct FakeClient {
    FakePeer peer;
    std::unique_ptr<session::Session> session;  // nullptr once it has been freed
    std::optional<metrics::Disconnect> ended;
    bool logged_in = false;
};

struct WorldOptions {
    // What is sent to preserve session state has tests of its own, and so has a BEGIN that no server hears of.
    config::Pool pool{.size = 1, .session_state = config::SessionState::ignore, .lazy_begin = false};
    config::Limits limits{};
    config::ClientTimeouts timeouts{};
    std::vector<config::Policy> policies{};
    config::TargetSessionAttrs session_attrs = config::TargetSessionAttrs::any;
    bool measures_calls = false;
    bool shows_literals = false;  // routes[].log.literals
    bool answers_dials = true;    // every dial ends well, at the next turn
};

class World final : public session::Host {
  public:
    using Options = WorldOptions;

    explicit World(Options options = {})
        : options_(std::move(options)),
          pools_(clock_),
          statements_({1, 2}, [](ByteView text) { return static_cast<std::uint8_t>(sql::session_effect(text)); }),
          context_{*this, statements_, pools_.parameters(), *worker_metrics_, facts_, shortlists_},
          share_(std::make_shared<pool::Share>(1, std::make_shared<pool::Permits>(1))) {
        set_policies(options_.policies);
        pool_ = std::make_unique<pool::Pool>(
            pool::Pool::Setup{"pool", target(), share_, WorkerIndex{0}, &pools_, &pools_.pool_metrics()});
    }
    World(const World&) = delete;
    World& operator=(const World&) = delete;
    ~World() { close_everything(); }

    // --- Clients
    std::size_t add_client(std::vector<wire::Setting> startup = {}) {
        clients_.push_back(std::make_unique<FakeClient>());
        FakeClient& client = *clients_.back();
        const auto number = clients_.size() - 1;
        session::Identity identity;
        identity.id = static_cast<SessionId>(number);
        identity.user = "ann";
        identity.database = "orders";
        identity.cancel_process_id = 7;
        identity.cancel_secret = "abcd";
        identity.startup = std::move(startup);
        session::Session::Setup setup{std::move(identity),
                                      {&client.peer, [](Peer*) {}},
                                      pool_.get(),
                                      route_metrics_.get(),
                                      server::authentication_ok()};
        client.session = std::make_unique<session::Session>(context_, std::move(setup));
        client.peer.attach(*client.session);
        client.peer.pause(Pause::no_server);
        client.session->start();
        settle();
        return number;
    }
    FakeClient& client(std::size_t number) { return *clients_.at(number); }
    std::size_t clients() const { return clients_.size(); }
    session::Session& session(std::size_t number) { return *client(number).session; }
    FakeServer& server(std::size_t number) { return pools_.server(number); }

    // --- The network
    // Whoever is not there, or not any more, does nothing.
    void client_sends(std::size_t number, ByteView bytes) {
        if (number >= clients_.size()) return;
        FakeClient& from = client(number);
        if (from.peer.is_closed()) return;
        from.peer.receive(bytes);
        settle();
    }
    void client_leaves(std::size_t number) {
        if (number >= clients_.size()) return;
        FakeClient& from = client(number);
        if (from.peer.is_closed()) return;
        from.peer.lose();
        settle();
    }
    void server_sends(std::size_t number, ByteView bytes) {
        if (number >= pools_.servers() || !server(number).is_open()) return;
        server(number).peer.receive(bytes);
        settle();
    }
    void server_leaves(std::size_t number) {
        if (number >= pools_.servers() || !server(number).is_open()) return;
        server(number).peer.lose();
        settle();
    }

    // --- The loop
    void settle() {
        for (bool any = true; any;) {
            any = pools_.turn();
            while (options_.answers_dials && pools_.dials() > 0) {
                pools_.open();
                any = true;
            }
            for (auto* deferred : std::exchange(deferred_, {})) {
                deferred->on_turn();
                any = true;
            }
            for (std::size_t i = 0; i < clients_.size(); ++i) {
                FakeClient& each = *clients_[i];
                if (each.ended && each.session != nullptr) {
                    each.session.reset();
                    any = true;
                } else if (each.session != nullptr) {
                    any |= each.peer.turn();
                }
            }
            check();
        }
    }
    void advance(TimePoint::duration by) {
        const TimePoint now = clock_.advance(by);
        for (std::size_t i = 0; i < clients_.size(); ++i) {
            if (clients_[i]->session != nullptr && !clients_[i]->ended) clients_[i]->session->sweep(now);
        }
        pool_->sweep(now);
        settle();
    }

    // --- Configuration
    void set_policies(const std::vector<config::Policy>& policies) {
        auto engine = policy::Engine::build(policies);
        PGSLUICE_CHECK(std::holds_alternative<policy::Engine>(engine));
        rulebook_ = std::make_shared<const session::Rulebook>(
            session::Rulebook{std::move(std::get<policy::Engine>(engine)), options_.limits, options_.measures_calls});
    }
    // A reload takes the clients' route away.
    void lose_route() { route_is_gone_ = true; }
    std::shared_ptr<pool::Target> target() const {
        auto made = std::make_shared<pool::Target>();
        made->route = "main";
        made->database = "orders";
        made->user = "ann";
        made->settings = options_.pool;
        made->query_log.literals = options_.shows_literals;
        made->session_attrs = options_.session_attrs;
        made->fingerprint = 1;
        return made;
    }

    // --- What there is
    FakeClock& clock() { return clock_; }
    FakePoolHost& pools() { return pools_; }
    pool::Pool& pool() { return *pool_; }
    pool::Share& share() { return *share_; }
    protocol::StatementCache& statements() { return statements_; }
    metrics::RouteMetrics& metrics() { return *route_metrics_; }
    metrics::WorkerMetrics& worker_metrics() { return *worker_metrics_; }
    // Cancel requests on their way; a test ends them.
    std::vector<pool::Server*>& cancels() { return cancels_; }
    void end_cancels() {
        for (pool::Server* server : std::exchange(cancels_, {})) pool_->end_cancel(*server);
        settle();
    }
    const std::vector<std::string>& verdicts() const { return verdicts_; }
    // "rule max_rows: select $1" for each statement that a limit cut off or refused.
    const std::vector<std::string>& limits() const { return limits_; }
    const std::vector<session::Call>& calls() const { return calls_; }

    // The last step of every test: all clients go, what they left behind is cleared away, and nothing may be missing.
    void close_everything() {
        if (pool_ == nullptr) return;
        for (std::size_t i = 0; i < clients_.size(); ++i) client_leaves(i);
        end_cancels();
        advance(std::chrono::seconds(6));
        advance(std::chrono::seconds(6));
        end_cancels();
        PGSLUICE_CHECK(pool_->waiting() == 0);
        for (auto& each : clients_) PGSLUICE_CHECK(each->session == nullptr);
        PGSLUICE_CHECK(!share_->anybody_waits());
        PGSLUICE_CHECK(share_->permits().open() == open_servers() + pools_.dials());
        while (pools_.dials() > 0) pools_.refuse(wire::fatal("57P03", "closing"), true);
        pool_->sweep(clock_.now());
        while (pools_.dials() > 0) pools_.refuse(wire::fatal("57P03", "closing"), true);
        pool_.reset();
        PGSLUICE_CHECK(share_->permits().open() == 0);
        PGSLUICE_CHECK(open_servers() == 0);
        pools_.turn();
        PGSLUICE_CHECK(statements_.size() == 0);
    }

    // --- session::Host
    TimePoint now() const override { return clock_.now(); }
    TimePoint read_clock() override { return clock_.now(); }
    const std::shared_ptr<const session::Rulebook>& rulebook() const override { return rulebook_; }
    void refresh(session::Session& session, const std::shared_ptr<const session::Rulebook>& rulebook) override {
        if (route_is_gone_) return;
        policy::Principal principal;
        principal.user = session.identity().user;
        principal.database = session.identity().database;
        principal.application_name = session.application_name();
        principal.route = "main";
        session.set_limits(rulebook, options_.timeouts, rules_cache_.for_principal(rulebook->policies, principal));
    }
    void defer(session::Session& session) override { deferred_.insert(&session); }
    void forward_cancel(pool::Pool&, pool::Server& server, session::CancelToken) override {
        server.begin_cancel();
        cancels_.push_back(&server);
    }
    void on_verdict(const session::Session&, const policy::Verdict& verdict, const sql::FactsRef*, ByteView) override {
        verdicts_.emplace_back(verdict.blocks() ? "block" : "allow");
    }
    void on_limit(const session::Session&, session::LimitKind kind, const session::Callee& callee) override {
        const std::string text = callee.facts == nullptr ? "?" : callee.facts->normalized;
        limits_.push_back(callee.limit->rule + ' ' + std::string(name_of(kind)) + ": " + text);
    }
    void on_call(const session::Session&, const session::Call& call) override { calls_.push_back(call); }
    void on_logged_in(session::Session& session) override { of(session).logged_in = true; }
    void on_ended(session::Session& session, metrics::Disconnect reason, const wire::SqlError*) override {
        PGSLUICE_CHECK(!of(session).ended);
        of(session).ended = reason;
        deferred_.erase(&session);
    }

  private:
    FakeClient& of(const session::Session& session) { return client(number(session.identity().id)); }
    std::uint32_t open_servers() {
        std::uint32_t count = 0;
        for (std::size_t i = 0; i < pools_.servers(); ++i) count += server(i).is_open() ? 1U : 0U;
        return count;
    }
    // What must hold after every step.
    void check() {
        for (std::size_t i = 0; i < pools_.servers(); ++i) {
            const FakeServer& each = server(i);
            if (!each.is_open()) {
                // A closed server gets nothing any more, and no cancel is counted for it.
                PGSLUICE_CHECK(each.peer.writes_after_close() == 0);
                continue;
            }
        }
        std::erase_if(cancels_, [this](const pool::Server* server) { return !is_open(server); });
        PGSLUICE_CHECK(share_->permits().open() <= options_.pool.size + options_.pool.reserve_size);
        PGSLUICE_CHECK(share_->permits().open() == open_servers() + pools_.dials());
        PGSLUICE_CHECK(pools_.gauge(metrics::ServerState::idle) >= 0);
    }
    bool is_open(const pool::Server* server) {
        for (std::size_t i = 0; i < pools_.servers(); ++i) {
            if (pools_.server(i).server == server) return true;
        }
        return false;
    }

    Options options_;
    FakeClock clock_;
    std::unique_ptr<metrics::WorkerMetrics> worker_metrics_ = std::make_unique<metrics::WorkerMetrics>();
    std::unique_ptr<metrics::RouteMetrics> route_metrics_ = std::make_unique<metrics::RouteMetrics>();
    FakePoolHost pools_;
    protocol::StatementCache statements_;
    std::shared_ptr<const session::Rulebook> rulebook_;
    bool route_is_gone_ = false;
    sql::FactsCache facts_{{1, 2}, {}};
    policy::RulesCache rules_cache_;
    policy::Shortlists shortlists_;
    session::Context context_;
    std::shared_ptr<pool::Share> share_;
    std::unique_ptr<pool::Pool> pool_;
    std::vector<std::unique_ptr<FakeClient>> clients_;
    std::set<session::Session*> deferred_;
    std::vector<pool::Server*> cancels_;
    std::vector<std::string> verdicts_, limits_;
    std::vector<session::Call> calls_;
};

}  // namespace pgsluice::test
