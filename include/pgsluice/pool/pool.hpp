// The server connections that one worker holds for one target, and those of its clients that wait for one. First come,
// first served, over all workers (share.hpp). What it cannot do itself (dial, move a server to another worker, free
// memory that is still on the call stack) it asks its Host for.
//
// Worker thread only.
#pragma once

#include <pgsluice/base/ids.hpp>
#include <pgsluice/metrics/sets.hpp>
#include <pgsluice/pool/server.hpp>
#include <pgsluice/pool/share.hpp>
#include <pgsluice/pool/target.hpp>
#include <pgsluice/wire/backend_messages.hpp>
#include <pgsluice/wire/sql_error.hpp>

#include <boost/intrusive/list.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pgsluice::pool {

class Pool;

enum class SetBy : std::uint8_t { server, client };

// A client that waits for a server.
class Waiter : public boost::intrusive::list_base_hook<> {
  public:
    Waiter() = default;
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    // The server is lent to it now. Called from another session's turn: write nothing to the client here.
    virtual void on_granted(Server& server) = 0;
    // No server can be had.
    virtual void on_refused(const wire::SqlError& why) = 0;
    // The settings that it wants to find or make; nullptr: those of a fresh server.
    virtual const protocol::ParameterSet* wanted_settings() const { return nullptr; }
    TimePoint waiting_since() const { return since_; }
    virtual ~Waiter() = default;

  private:
    friend class Pool;
    Share::Ticket ticket_ = 0;
    TimePoint since_{};
    ServerUser* user_ = nullptr;
};

// Whose idle servers may be closed, since another connection needs the room: those that have one of `places`, or those
// that have permits of the same `permits` and are of another pool than `asker`.
struct Eviction {
    std::shared_ptr<const ServerPlaces> places;
    std::shared_ptr<const Permits> permits;
    const Share* asker = nullptr;
};

class Host {
  public:
    // When the event began that is being handled: the clock is read once for each.
    virtual TimePoint now() const = 0;
    virtual TimePoint read_clock() = 0;
    // Uniform in [0, bound).
    virtual std::uint64_t random(std::uint64_t bound) = 0;
    // Starts one connection for the pool, which holds a permit for it: Pool::on_dialed or on_dial_failed follows, not
    // from inside this call.
    virtual void dial(Pool& pool) = 0;
    // Asks the server once more to cancel what it runs for a client that has gone: Pool::end_cancel follows.
    virtual void repeat_cancel(Pool& pool, Server& server) = 0;
    // Takes a closed server that may still be on the call stack.
    virtual void bury(std::unique_ptr<Server> server) = 0;
    // Hands an idle server to the same pool of another worker: Pool::on_moved_in there.
    virtual void move(WorkerIndex to, Pool& pool, std::unique_ptr<Server> server) = 0;
    // Asks another worker to give an idle server of this pool to whoever waits: Pool::serve_others there.
    virtual void ask_for_idle(WorkerIndex worker, Pool& pool) = 0;
    // Seeks an idle server of a sibling on any worker, closes it and calls Pool::on_room_sought, not from inside this.
    virtual void make_room(Pool& pool) = 0;
    // A permit has come free for a sibling that claims one: Pool::on_room_made there.
    virtual void offer_room(WorkerIndex worker, const std::string& key) = 0;
    virtual void on_server_closed(Pool& pool, const Server& server, metrics::ServerClose reason) = 0;
    // The set that counts the pool's connections to one server.
    virtual metrics::PoolMetrics& metrics_of(Pool& pool, const std::string& server_label) = 0;
    virtual protocol::ParameterTable& parameters() = 0;

  protected:
    ~Host() = default;
};

class Pool final : public ServerUser {
  public:
    struct Setup {
        std::string key;  // equal keys on two workers are the same pool
        std::shared_ptr<const Target> target;
        std::shared_ptr<Share> share;
        WorkerIndex worker{};
        Host* host = nullptr;
        metrics::PoolMetrics* metrics = nullptr;
    };

    explicit Pool(Setup setup);
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;
    ~Pool();

    const std::string& key() const { return key_; }
    const Target& target() const { return *target_; }
    metrics::PoolMetrics& metrics() const { return metrics_; }
    std::shared_ptr<const Target> target_ref() const { return target_; }
    Share& share() { return *share_; }
    // Every connection that its size allows is open, or lacks nothing but time. Where not and clients wait, the room is
    // missing elsewhere.
    bool is_full() const { return permits_.open() >= target_->settings.size + permits_.lacking(); }

    // What the servers' side said when no connection could be opened, where none could since; nullptr: it said nothing.
    // A limit of our own is no refusal.
    const wire::SqlError* last_refusal() const { return refusal_ ? &*refusal_ : nullptr; }

    // --- Clients.
    // A server at once, or nullptr: then `waiter` is queued and hears later.
    Server* acquire(Waiter& waiter, ServerUser& user);
    void withdraw(Waiter& waiter);
    // `server` is clean: its exchange is at rest, idle, and nothing of it is unread. What session mode leaves behind is
    // reset before another client is next.
    void check_in(Server& server);
    // Its client went away in the middle of an exchange or a transaction: reads and drops what is owed, rolls back,
    // then checks in; closes the server where that takes too long. `rest`: bytes of the server's last message that are
    // to come.
    void recover(Server& server, std::size_t rest);
    // Closes it. Clients that wait have another opened in its place.
    void discard(Server& server, metrics::ServerClose reason);
    void end_cancel(Server& server);

    // --- The host's answers.
    void on_dialed(std::unique_ptr<Server> server);
    // Every waiter is told `why`, unless the failure is `temporary` or servers are open that may serve them later.
    void on_dial_failed(const wire::SqlError& why, bool temporary);
    void on_moved_in(std::unique_ptr<Server> server);
    // It broke on its way here.
    void on_lost_in_move(Server& server);
    void serve_others();
    void on_room_sought(bool made);
    void on_room_made();

    // --- Time and configuration.
    void sweep(TimePoint now);
    TimePoint waited_since() const;  // by the client here that waits longest; never: nobody waits
    void reconfigure(std::shared_ptr<const Target> target);
    struct Report {
        wire::ParameterStatus setting;  // views into the body
        bool is_carried = false;        // it is what the server has now
    };
    // A ParameterStatus of a lent or idle server: all that it says about the server. nullopt: PostgreSQL says no such
    // thing, and nothing of this server can be trusted any more.
    std::optional<Report> hear_report(Server& server, ByteView body, SetBy set_by);
    // Whether a reported setting belongs to the client that made it and follows it to its next server.
    bool carries(ByteView reported_name) const;
    // The same of one that `server` reports behind its login: what it has not named there follows nobody, so that no
    // server makes settings without end.
    bool carries(const Server& server, ByteView reported_name) const;
    // Servers that were dialed before are closed: idle ones at once, lent ones when they come back, those on their way
    // between two workers when they arrive.
    void reconnect(Generation from);
    // Closes idle servers, and lent ones when they come back.
    void retire_servers(metrics::ServerClose reason);
    // The server at `upstream` says that it shuts down, or turned read-only.
    void retire_servers_of(const Upstream& upstream, metrics::ServerClose reason);
    // Nobody is lent a server: those that are open are closed, lent ones when they come back, and whoever asks waits.
    void pause();
    void resume();
    bool is_paused() const { return paused_; }
    // Closes the server that has been idle longest of those that the wish takes; false: there is none.
    bool evict_idle(const Eviction& wish);
    TimePoint oldest_idle(const Eviction& wish) const;
    // No server, no waiter, nothing on its way.
    bool is_empty() const { return servers_.empty() && idle_.empty() && waiters_.empty() && dialing_ == 0; }
    std::size_t waiting() const { return waiters_.size(); }
    std::size_t dialing() const { return dialing_; }
    template <class Visit>
    void each_server(Visit visit) {
        for (Server& server : servers_) visit(server);
        for (Server& server : idle_) visit(server);
    }

    // --- ServerUser: idle servers and those between two owners.
    std::size_t on_server_bytes(Server& server, ByteView bytes) override;
    void on_server_drained(Server&) override {}
    void on_server_lost(Server& server) override {
        host_.read_clock();
        discard(server, metrics::ServerClose::lost);
    }

  private:
    using ServerList = boost::intrusive::list<Server>;
    using WaiterList = boost::intrusive::list<Waiter>;

    void enter(Server& server, metrics::ServerState state);
    void adopt(std::unique_ptr<Server> server);
    // A clean server with nobody to work for: the oldest waiter's, or idle.
    void release(Server& server);
    // The same, where it has been seen that it may be used again.
    void pass_on(Server& server);
    // False where the waiter with that ticket has left.
    bool give_to(Share::Ticket ticket, Server& server);
    // The server that was called for this ticket is none: its waiter, where it is still here, is in the queue again.
    void queue_again(Share::Ticket ticket);
    Waiter* find_waiter(Share::Ticket ticket);
    // One that `waiter` can use; nullptr: whoever it is for is not known here.
    Server* take_idle(const Waiter* waiter);
    ServerList::reverse_iterator best_idle(const Waiter& waiter);
    // Whether nothing there has a name that the waiter must not find: pool.custom_settings.
    bool fits(const Waiter& waiter, const Server& server) const;
    bool is_marked(const Server& server) const;
    static bool ends_when_idle(const Server& server);
    bool close_misfit();
    void fill();
    void send_off(const Share::Called& to, Server& server);
    std::unique_ptr<Server> remove(Server& server);
    void maintain(Server& server, metrics::ServerState state, ByteView sql);
    void reset(Server& server);
    void roll_back(Server& server);
    void end_batch(Server& server);
    void unset_idle_timeout(Server& server);
    void sweep_maintenance(Server& server, TimePoint now);
    std::size_t on_maintenance_bytes(Server& server, ByteView bytes);
    std::size_t on_idle_bytes(Server& server, ByteView bytes);
    void finish_maintenance(Server& server);
    void note_command(Server& server, ByteView body);
    void note_role(Server& server, const wire::ParameterStatus& setting, SetBy set_by);
    void note_standby(Server& server, ByteView value);
    bool tells_default(const Server& server, const protocol::Parameter& before, ByteView value) const;
    void lend(Server& server, ServerUser& user);
    ServerList& list_of(const Server& server) { return server.state_ == metrics::ServerState::idle ? idle_ : servers_; }
    void unqueue(Waiter& waiter);
    // Dials for those who wait, as far as that is their turn; a permit that is left is a sibling's.
    void grow();
    void dial_for_waiters();
    // A permit has come free: whoever has waited longest has it, here or in a sibling.
    void use_room();
    TimePoint lacking_since() const;
    // The server's end. The permit is for whoever takes it next.
    void close(Server& server, metrics::ServerClose reason);
    void ask_for_idle();
    void claim_permit();
    void withdraw_claim();
    void renew_claim();
    // Whether a sibling claims a permit whose clients have waited since before `since`: the next is theirs.
    bool is_behind_sibling(TimePoint since) const;
    // Tells the sibling that has claimed a permit longest that one is left, if its clients have waited since before
    // `others`. False: there is none, or no permit.
    bool offer_room(TimePoint others);
    // Where a sibling's clients have waited longer than ours, the server is closed, and none of us takes the permit.
    bool yield_to_sibling(Server& server);
    // The same where no more connections may be open to a server, or of a user: the place is kept for them.
    bool yield_to_stranger(Server& server, ServerPlaces& places);
    bool may_evict(const Server& server, const Eviction& wish) const;
    // No permit is left, also where connections that hold one wait for a place.
    bool is_used_up() const { return permits_.open() >= target_->settings.size; }
    std::uint32_t size_limit(TimePoint now) const;
    std::uint32_t min_size() const;
    void show_size();
    void hide_size();
    template <class Why>
    void discard_idle(Why why);
    // Why nobody is to have a server next that comes back; nullopt: somebody may.
    std::optional<metrics::ServerClose> unwanted(Server& server);
    bool is_too_many(Server& server);
    // Why it must not be lent again; nullopt: it may.
    std::optional<metrics::ServerClose> spent(const Server& server, TimePoint now) const;
    bool is_outdated(const Server& server) const { return server.facts().generation < share_->generation(); }

    const std::string key_;
    std::shared_ptr<const Target> target_;
    const std::shared_ptr<Share> share_;
    Permits& permits_;  // the share's
    const WorkerIndex worker_;
    Host& host_;
    metrics::PoolMetrics& metrics_;

    ServerList servers_;  // all that are not idle
    ServerList idle_;     // used last at the back, lent from there
    WaiterList waiters_;  // oldest first
    std::uint32_t dialing_ = 0;
    std::uint32_t checking_ = 0;  // servers that are asked whether they live, for somebody who waits
    TimePoint dial_again_at_{};   // the last dial has failed
    std::optional<wire::SqlError> refusal_;
    std::int64_t shown_size_ = 0;
    bool paused_ = false;
    bool has_claim_ = false;       // Permits knows that our clients found no permit
    bool is_making_room_ = false;  // the host seeks a sibling's idle server
    Waiter* acquiring_ = nullptr;  // inside acquire(): a server granted to it is returned instead of announced
    Server* acquired_ = nullptr;
};

}  // namespace pgsluice::pool
