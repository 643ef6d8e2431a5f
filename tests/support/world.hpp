// A whole pgsluice in memory: real sessions, a real pool and its real servers, between clients and servers that are
// FakePeers. Nothing happens unless a test (or a Script) makes it happen; settle() runs what the loops would then run.
// Mostly it has one worker. Where it has more, what they send each other lies until a test carries it.
#pragma once

#include <pgsluice/session/session.hpp>

#include <support/messages.hpp>
#include <support/world_worker.hpp>

#include <algorithm>
#include <optional>
#include <set>

namespace pgsluice::test {

struct FakeClient {
    FakePeer peer;
    std::unique_ptr<session::Session> session;  // nullptr once it has been freed
    std::size_t worker = 0;
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
    std::size_t workers = 1;
    Milliseconds reading_takes{0};  // how far the clock goes whenever it is read
};

class World final : public session::Host {
  public:
    using Options = WorldOptions;

    explicit World(Options options = {})
        : options_(std::move(options)),
          share_(std::make_shared<pool::Share>(options_.workers, std::make_shared<pool::Permits>(options_.workers))) {
        set_policies(options_.policies);
        for (std::size_t i = 0; i < options_.workers; ++i) {
            workers_.push_back(std::make_unique<WorldWorker>(*this, clock_, i));
            workers_.back()->open_pool(target(), share_);
        }
    }
    World(const World&) = delete;
    World& operator=(const World&) = delete;
    ~World() { close_everything(); }

    // --- Clients
    std::size_t add_client(std::vector<wire::Setting> startup = {}, std::size_t worker = 0) {
        clients_.push_back(std::make_unique<FakeClient>());
        FakeClient& client = *clients_.back();
        client.worker = worker;
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
                                      &pool(worker),
                                      &metrics(worker),
                                      server::authentication_ok()};
        client.session = std::make_unique<session::Session>(workers_.at(worker)->context, std::move(setup));
        client.peer.attach(*client.session);
        client.peer.pause(Pause::no_server);
        client.session->start();
        settle();
        return number;
    }
    FakeClient& client(std::size_t number) { return *clients_.at(number); }
    std::size_t clients() const { return clients_.size(); }
    session::Session& session(std::size_t number) { return *client(number).session; }
    // Servers by the order of their dials, of all workers; they keep their number when they move.
    std::size_t servers() {
        for (auto& each : workers_) each->show_new_servers(servers_);
        return servers_.size();
    }
    FakeServer& server(std::size_t number) {
        servers();
        return *servers_.at(number);
    }

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
        if (number >= servers() || !server(number).is_open()) return;
        server(number).peer.receive(bytes);
        settle();
    }
    void server_leaves(std::size_t number) {
        if (number >= servers() || !server(number).is_open()) return;
        server(number).peer.lose();
        settle();
    }

    // --- The loop
    void settle() {
        for (bool any = true; any;) {
            any = false;
            for (auto& each : workers_) {
                any |= each->pools.turn();
                while (options_.answers_dials && each->pools.dials() > 0) {
                    each->pools.open();
                    any = true;
                }
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
        for (auto& each : workers_) each->pool->sweep(now);
        settle();
    }
    // The oldest server that the worker has sent to another arrives there; or the oldest that it has asked another for
    // is looked for. False: nothing is on its way.
    bool carry_server(std::size_t from) {
        FakePoolHost& host = pools(from);
        if (host.moves().empty()) return false;
        WorldWorker& to = *workers_.at(number(host.moves().front().to));
        if (host.fake_of(*host.moves().front().server).peer.is_closed())
            to.pools.lose(host, *to.pool);
        else
            to.pools.receive(host, *to.pool, to.statements);
        settle();
        return true;
    }
    bool carry_request(std::size_t from) {
        auto& requests = pools(from).requests();
        if (requests.empty()) return false;
        const WorkerIndex asked = requests.front();
        requests.pop_front();
        pool(number(asked)).serve_others();
        settle();
        return true;
    }
    // Everything that is on its way, and what that sets going too.
    bool carry() {
        bool any = false;
        for (bool more = true; more;) {
            more = false;
            for (std::size_t i = 0; i < workers_.size(); ++i) more = carry_server(i) || carry_request(i) || more;
            any |= more;
        }
        return any;
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
    std::size_t workers() const { return workers_.size(); }
    FakePoolHost& pools(std::size_t worker = 0) { return workers_.at(worker)->pools; }
    pool::Pool& pool(std::size_t worker = 0) { return *workers_.at(worker)->pool; }
    pool::Share& share() { return *share_; }
    protocol::StatementCache& statements(std::size_t worker = 0) { return workers_.at(worker)->statements; }
    metrics::RouteMetrics& metrics(std::size_t worker = 0) { return workers_.at(worker)->route_metrics; }
    metrics::WorkerMetrics& worker_metrics(std::size_t worker = 0) { return workers_.at(worker)->metrics; }
    std::size_t dials() const {
        std::size_t sum = 0;
        for (const auto& each : workers_) sum += each->pools.dials();
        return sum;
    }
    std::int64_t gauge(metrics::ServerState state) {
        std::int64_t sum = 0;
        for (auto& each : workers_) sum += each->pools.gauge(state);
        return sum;
    }
    // Cancel requests on their way; a test ends them.
    struct Cancel {
        pool::Pool* pool;
        pool::Server* server;
    };
    std::vector<Cancel>& cancels() { return cancels_; }
    void end_cancels() {
        for (const auto& [pool, server] : std::exchange(cancels_, {})) pool->end_cancel(*server);
        settle();
    }
    const std::vector<std::string>& verdicts() const { return verdicts_; }
    // "rule max_rows: select $1" for each statement that a limit cut off or refused.
    const std::vector<std::string>& limits() const { return limits_; }
    const std::vector<session::Call>& calls() const { return calls_; }

    // The last step of every test: all clients go, what they left behind is cleared away, and nothing may be missing.
    void close_everything() {
        if (is_closed_) return;
        is_closed_ = true;
        for (std::size_t i = 0; i < clients_.size(); ++i) client_leaves(i);
        end_cancels();
        carry();
        advance(std::chrono::seconds(6));
        advance(std::chrono::seconds(6));
        carry();
        end_cancels();
        for (auto& each : workers_) PGSLUICE_CHECK(each->pool->waiting() == 0);
        for (auto& each : clients_) PGSLUICE_CHECK(each->session == nullptr);
        PGSLUICE_CHECK(!share_->anybody_waits());
        check_permits();
        for (auto& each : workers_) {
            refuse_dials(each->pools);
            each->pool->sweep(clock_.now());
            refuse_dials(each->pools);
        }
        for (auto& each : workers_) each->pool.reset();
        PGSLUICE_CHECK(share_->permits().open() == 0);
        PGSLUICE_CHECK(open_servers() == 0);
        for (auto& each : workers_) each->pools.turn();
        for (auto& each : workers_) PGSLUICE_CHECK(each->statements.size() == 0);
    }

    // --- session::Host
    TimePoint now() const override { return clock_.now(); }
    TimePoint read_clock() override { return clock_.advance(options_.reading_takes); }
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
    void forward_cancel(pool::Pool& pool, pool::Server& server, session::CancelToken) override {
        server.begin_cancel();
        cancels_.push_back({&pool, &server});
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
    static void refuse_dials(FakePoolHost& pools) {
        while (pools.dials() > 0) pools.refuse(wire::fatal("57P03", "closing"), true);
    }
    std::uint32_t open_servers() {
        std::uint32_t count = 0;
        for (std::size_t i = 0; i < servers(); ++i) count += server(i).is_open() ? 1U : 0U;
        return count;
    }
    // What must hold after every step.
    void check() {
        for (std::size_t i = 0; i < servers(); ++i) {
            const FakeServer& each = server(i);
            if (!each.is_open()) {
                // A closed server gets nothing any more, and no cancel is counted for it.
                PGSLUICE_CHECK(each.peer.writes_after_close() == 0);
                continue;
            }
        }
        std::erase_if(cancels_, [this](const Cancel& cancel) { return !is_open(cancel.server); });
        PGSLUICE_CHECK(share_->permits().open() <= options_.pool.size + options_.pool.reserve_size);
        check_permits();
        check_lent();
        for (auto& each : workers_) PGSLUICE_CHECK(each->pools.gauge(metrics::ServerState::idle) >= 0);
    }
    // Those on their way between two workers have theirs, too.
    void check_permits() {
        PGSLUICE_CHECK(share_->permits().open() == open_servers() + dials());
        PGSLUICE_CHECK(share_->servers() == open_servers());
    }
    // A server is lent to one client, and is in the pool of that client's worker.
    void check_lent() {
        std::set<const pool::Server*> lent;
        for (const auto& each : clients_) {
            const pool::Server* const server = each->session == nullptr ? nullptr : each->session->server();
            if (server == nullptr) continue;
            PGSLUICE_CHECK(lent.insert(server).second);
            bool is_there = false;
            pool(each->worker).each_server([&](const pool::Server& of_pool) { is_there |= &of_pool == server; });
            PGSLUICE_CHECK(is_there);
        }
    }
    bool is_open(const pool::Server* server) {
        for (std::size_t i = 0; i < servers(); ++i) {
            if (this->server(i).server == server) return true;
        }
        return false;
    }

    Options options_;
    FakeClock clock_;
    std::shared_ptr<const session::Rulebook> rulebook_;
    bool route_is_gone_ = false;
    policy::RulesCache rules_cache_;
    std::shared_ptr<pool::Share> share_;
    std::vector<std::unique_ptr<WorldWorker>> workers_;
    std::vector<FakeServer*> servers_;
    bool is_closed_ = false;
    std::vector<std::unique_ptr<FakeClient>> clients_;
    std::set<session::Session*> deferred_;
    std::vector<Cancel> cancels_;
    std::vector<std::string> verdicts_, limits_;
    std::vector<session::Call> calls_;
};

}  // namespace pgsluice::test
