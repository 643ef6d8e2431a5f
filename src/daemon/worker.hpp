// One thread with an event loop of its own: accepts clients, runs their sessions, holds idle servers. It is the Host of
// its sessions and pools. Other threads reach it only by post() and each_worker.hpp, with values.
#pragma once

#include "auth_query.hpp"
#include "cancel_forward.hpp"
#include "process.hpp"
#include "snapshot.hpp"
#include "worker_place.hpp"

#include <pgsluice/admin/view.hpp>
#include <pgsluice/insight/query_table.hpp>
#include <pgsluice/net/acceptor.hpp>
#include <pgsluice/net/link.hpp>
#include <pgsluice/net/reactor.hpp>
#include <pgsluice/net/socket_options.hpp>
#include <pgsluice/policy/rules.hpp>
#include <pgsluice/pool/pool.hpp>
#include <pgsluice/session/session.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/container/flat_map.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>

namespace pgsluice::daemon {

class ConsoleSession;

// In place of the index of a listener: the console's own socket (admin.console.unix).
constexpr std::size_t console_socket = SIZE_MAX;

class Worker final : public session::Host, public pool::Host {
  public:
    Worker(Process& process, WorkerIndex index, std::shared_ptr<const Snapshot> snapshot);
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker();

    // --- Any thread.
    template <class Handler>
    void post(Handler handler) {
        boost::asio::post(io_, [this, handler = std::move(handler)]() mutable {
            read_clock();
            handler();
        });
    }
    void set_siblings(std::vector<Worker*> workers) { siblings_ = std::move(workers); }  // before start()
    void start();
    // Ends every session at once, closes every server, ends the thread and waits for it.
    void stop();
    std::int64_t clients() const { return sets_.worker().clients.value(); }
    WorkerPlace take_place() { return WorkerPlace(sets_.worker().clients); }
    WorkerIndex index() const { return index_; }

    // --- Its own thread.
    void listen(net::Descriptor socket, std::size_t listener, bool spread);
    void stop_listening();
    void serve(net::Descriptor socket, std::size_t listener, WorkerPlace place);
    void publish(std::shared_ptr<const Snapshot> snapshot);
    void drain();
    void cancel(SessionId session, session::CancelToken token);
    // For the console: worker_view.cpp.
    admin::View view(admin::Look how);
    bool kill_client(SessionId session);  // false: it is not here
    void add_console(ConsoleSession& console);
    void remove_console(SessionId id);
    // Databases as servers know them; none: all.
    using Databases = std::set<std::string>;
    void reconnect(const Databases& databases, pool::Generation from);  // Share::replace_servers
    void obey_gates();  // pools are paused or go on, and all stands still or does not, as Process::gates say now
    void kill_clients(const Databases& databases);
    // SUSPEND: worker_suspend.cpp. Connections of clients and servers that have not been sent all that they are owed,
    // and servers that are being logged in to.
    std::size_t unflushed();
    void close_unflushed();
    // One that has just begun to relay: it is not heard before the others are.
    void heed_suspension(net::Link& link) const {
        if (suspended_) link.pause(Pause::suspended);
    }
    bool is_suspended() const { return suspended_; }
    // 0 where there is none. Those of all workers that the same pools have are counted by each, since one may be on its
    // way between two.
    std::size_t open_servers(const Databases& databases);      // and those that are being logged in to
    std::size_t servers_to_close(const Databases& databases);  // when their clients give them back

    // For the coroutines that log clients and servers in.
    const std::shared_ptr<const Snapshot>& snapshot() const { return snapshot_; }
    Process& process() { return process_; }
    net::Reactor& reactor() { return reactor_; }
    boost::asio::io_context& io() { return io_; }
    metrics::WorkerSets& metrics() { return sets_; }
    insight::QueryTable& queries() { return queries_; }
    AuthQueries& auth_queries() { return auth_queries_; }
    std::vector<Worker*>& siblings() { return siblings_; }
    net::SocketOptions socket_options() const;
    pool::Pool& pool_for(const std::string& key, std::shared_ptr<const pool::Target> target);
    pool::Pool* find_pool(const std::string& key);
    SharedPool& shared(const pool::Pool& pool);
    // Asks one worker after the other, this one first, until one has closed an idle server that the wish takes; then
    // tells, from this loop, whether one has.
    void make_room(pool::Eviction wish, std::function<void(bool made)> then);

    struct NewClient {
        session::Identity identity;
        net::LinkPtr link;
        ByteView unread;
        pool::Pool* pool = nullptr;
        const config::Route* route = nullptr;
        ClientSlot slot;
        Admission admission;
        AddressPlace place;
        WorkerPlace worker_place;
        Bytes prelude;
    };
    void adopt(NewClient client);

    // --- session::Host
    TimePoint now() const override { return now_; }
    TimePoint read_clock() override { return now_ = std::chrono::steady_clock::now(); }
    const std::shared_ptr<const session::Rulebook>& rulebook() const override { return snapshot_->rulebook; }
    void refresh(session::Session& session, const std::shared_ptr<const session::Rulebook>& rulebook) override;
    void defer(session::Session& session) override;
    void forward_cancel(pool::Pool& pool, pool::Server& server, session::CancelToken token) override {
        cancel_forwards_.request(pool, server, std::move(token));
    }
    void on_verdict(const session::Session& session, const policy::Verdict& verdict, const sql::FactsRef* facts,
                    ByteView text) override;
    void on_limit(const session::Session& session, session::LimitKind kind, const session::Callee& callee) override;
    void on_call(const session::Session& session, const session::Call& call) override;
    void on_logged_in(session::Session& session) override;
    void on_ended(session::Session& session, metrics::Disconnect reason, const wire::SqlError* error) override;

    // --- pool::Host
    std::uint64_t random(std::uint64_t bound) override;
    void dial(pool::Pool& pool) override;
    void repeat_cancel(pool::Pool& pool, pool::Server& server) override {
        cancel_forwards_.request(pool, server, nullptr);
    }
    void bury(std::unique_ptr<pool::Server> server) override { reactor_.retire(std::move(server)); }
    void move(WorkerIndex to, pool::Pool& pool, std::unique_ptr<pool::Server> server) override;
    void ask_for_idle(WorkerIndex worker, pool::Pool& pool) override;
    void make_room(pool::Pool& pool) override;
    void offer_room(WorkerIndex worker, const std::string& key) override;
    void on_server_closed(pool::Pool& pool, const pool::Server& server, metrics::ServerClose reason) override;
    metrics::PoolMetrics& metrics_of(pool::Pool& pool, const std::string& server_label) override;
    protocol::ParameterTable& parameters() override { return parameters_; }

  private:
    struct PoolEntry {
        std::unique_ptr<pool::Pool> pool;
        std::shared_ptr<SharedPool> shared;
        std::shared_ptr<const pool::Target> origin;  // what its key was made of; a reload may rewrite the pool's names
        std::size_t clients = 0;
        bool shows_wait = false;
        TimePoint used_at{};  // when it was last seen to have a client, a server or a dial
    };
    // What belongs to a session and not to its behaviour.
    struct Client {
        std::unique_ptr<session::Session> session;
        ClientSlot slot;
        Admission admission;
        AddressPlace place;
        WorkerPlace worker_place;
        std::string route;
        metrics::UserMetrics* metrics = nullptr;
        PoolEntry* pool = nullptr;
    };

    void run();
    void count_verdict(const session::Session& session, policy::RuleIndex rule, const sql::Facts* facts, ByteView text);
    void tick();
    void schedule_tick();
    void sweep(TimePoint now);
    void sweep_connections(TimePoint now);
    void show_waits();
    void show_pins();
    void end_sessions();
    admin::Totals& ended_totals(const std::string& database);
    void count_ended(const session::Session& session);
    admin::TotalsByDatabase totals() const;
    void end_period(TimePoint at);
    void obey_gates(pool::Pool& pool);
    void obey_suspension();
    template <class Act>
    void each_link(Act act);
    template <class Act>
    void each_pool(const Databases& databases, Act act);
    PoolEntry& add_pool(const std::string& key, std::shared_ptr<const pool::Target> target);
    void receive(const std::string& key, std::shared_ptr<const pool::Target> origin,
                 std::unique_ptr<pool::Server> server, net::LinkParts parts, const pool::Server::Luggage& luggage);
    void reconfigure(PoolEntry& entry);
    void fill_minimum_pools();
    void drop_unused_pools(TimePoint now);
    bool evict_idle(const pool::Eviction& wish);
    struct RoomSearch;
    void ask_for_room(std::shared_ptr<RoomSearch> search);

    Process& process_;
    const WorkerIndex index_;
    // Before the loop, which at its end frees the coroutines that serve them.
    std::map<SessionId, ConsoleSession*> consoles_;
    // Before the loop, whose last handlers may hold servers on their way to other workers, and before the reactor,
    // whose graveyard may hold sessions and servers: they refer to these.
    protocol::StatementCache statements_;
    protocol::ParameterTable parameters_;
    // Its sockets are this thread's alone, so Asio need not lock them; post() is for all threads.
    boost::asio::io_context io_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
    TimePoint now_ = std::chrono::steady_clock::now();
    net::Reactor reactor_;
    metrics::WorkerSets& sets_;
    sql::FactsCache facts_;
    policy::Shortlists shortlists_;
    session::Context context_;
    std::shared_ptr<const Snapshot> snapshot_;
    policy::RulesCache rules_cache_;
    std::vector<metrics::RuleMetrics*> rule_metrics_;  // of the snapshot's policies; nullptr: not needed yet
    insight::QueryTable queries_;
    AuthQueries auth_queries_;
    std::vector<Worker*> siblings_;
    FewestInTurn spread_;  // over the siblings

    std::map<std::string, PoolEntry> pools_;
    boost::unordered_flat_map<SessionId, Client> sessions_;
    boost::container::flat_map<metrics::RouteMetrics*, TimePoint> oldest_pins_;  // of each route that has had any
    // Of clients that have gone; and of all, when the period began that is running, and in the one before it.
    admin::TotalsByDatabase ended_, period_began_, last_period_;
    TimePoint next_period_{};
    bool suspended_ = false;
    std::vector<pool::Pool*> held_dials_;  // that have been asked for meanwhile; pools outlive the dials they count
    TimePoint limits_hold_from_{};         // behind a suspension, when what had come meanwhile has been read
    CancelForwards cancel_forwards_{*this};
    std::vector<std::unique_ptr<net::Acceptor>> acceptors_;
    boost::asio::steady_timer timer_;
    TimePoint next_tick_{};
    std::thread thread_;
};

}  // namespace pgsluice::daemon
