// One server connection, from the end of its login to its close: the link, what is prepared and set there, the ledger
// of what it owes, and whom it works for. Owned by its Pool; moves between workers only while idle.
#pragma once

#include <pgsluice/base/ids.hpp>
#include <pgsluice/base/peer.hpp>
#include <pgsluice/base/time.hpp>
#include <pgsluice/metrics/sets.hpp>
#include <pgsluice/pool/role.hpp>
#include <pgsluice/pool/share.hpp>
#include <pgsluice/protocol/accepted_values.hpp>
#include <pgsluice/protocol/exchange.hpp>
#include <pgsluice/protocol/parameter_set.hpp>
#include <pgsluice/protocol/server_statements.hpp>
#include <pgsluice/protocol/settings_replay.hpp>
#include <pgsluice/wire/startup_options.hpp>

#include <boost/intrusive/list_hook.hpp>

#include <memory>
#include <string>
#include <vector>

namespace pgsluice::pool {

class ServerPlaces;
class Pool;
class Server;
class Upstream;

// Whoever a server works for: the session it is lent to, or its pool.
class ServerUser {
  public:
    // As Sink::on_bytes.
    virtual std::size_t on_server_bytes(Server& server, ByteView bytes) = 0;
    virtual void on_server_drained(Server& server) = 0;
    // The connection is gone. The user gives the server back with Pool::discard.
    virtual void on_server_lost(Server& server) = 0;

  protected:
    ~ServerUser() = default;
};

// Of a server's messages in answer to what we ask by ourselves, those that are looked into.
constexpr std::size_t longest_reply = std::size_t{64} << 10;

class Server final : public Sink, public boost::intrusive::list_base_hook<> {
  public:
    // What the login told, and where it was.
    struct Facts {
        protocol::ParameterSetRef baseline;  // the carried settings as they were at the login
        ServerId id{};
        std::string label;  // "host:port"
        std::shared_ptr<Upstream> upstream;
        std::shared_ptr<ServerPlaces> user_places;  // of the user that it is logged in as
        std::int32_t process_id = 0;
        Bytes cancel_secret;  // empty: cannot be cancelled
        // ParameterStatus at login, in the server's order; in_hot_standby as it was told last.
        std::vector<wire::Setting> reported;
        std::uint64_t fingerprint = 0;  // of the Target it was opened for
        Generation generation = 0;      // of its Share, when the dial began
        TimePoint opened_at;
        std::shared_ptr<const void> cancel_route;  // how to reach the same server again for a cancel; the daemon's
    };

    Server(Facts facts, PeerPtr link);

    const Facts& facts() const { return facts_; }
    // It is closed, so that others may have the places that it took.
    void leave_places();
    Peer& link() { return *link_; }
    // What is prepared on a server that moves to another worker, as text: statements belong to a worker's cache.
    struct Luggage {
        struct Prepared {
            Bytes text, parameter_types;
            protocol::Environment environment;
        };
        std::vector<Prepared> statements;  // least recently used first
    };
    // Drops the link, and with it the connection unless that has been taken out: so ends one that is lost on its way.
    Luggage pack();
    // Joins the loop and the cache of the worker that it has come to.
    void unpack(PeerPtr link, const Luggage& luggage, protocol::StatementCache& cache);

    protocol::Exchange& exchange() { return exchange_; }
    protocol::ServerStatements& statements() { return statements_; }
    const protocol::ServerStatements& statements() const { return statements_; }
    protocol::ReservedStatements& reserved() { return reserved_; }
    // The statement behind the server's unnamed one; none where there is none or nobody knows.
    protocol::StatementRef& unnamed() { return unnamed_; }
    // What the ledger has learnt about statements on this server (Exchange::Witness).
    void note_done(const protocol::Owed& owed);
    void note_dropped(const protocol::Owed& owed);
    // Every named statement is gone that was prepared so far: DEALLOCATE ALL, DISCARD ALL.
    void forget_statements();
    const protocol::ParameterSetRef& has() const { return has_; }
    void set_has(protocol::ParameterSetRef has) { has_ = std::move(has); }
    protocol::AcceptedValues& accepted() { return accepted_; }

    // A server that must not be lent again: closed at its next check-in.
    void doom(metrics::ServerClose reason) {
        doomed_ = true;
        doom_reason_ = reason;
    }
    // Its client has left something behind that DISCARD ALL clears away at its next check-in.
    void need_reset() { needs_reset_ = true; }
    bool needs_reset() const { return needs_reset_; }
    // A statement of the protocol's goes by a name of its client's there, and may until that has happened.
    void note_lent_name() { has_lent_names_ = needs_reset_ = true; }
    bool has_lent_names() const { return has_lent_names_; }
    bool is_doomed() const { return doomed_; }
    metrics::ServerState state() const { return state_; }
    TimePoint since() const { return since_; }  // when that began
    metrics::ServerClose doom_reason() const { return doom_reason_; }

    // Cancel requests on their way to it: it is not lent to another client while any is.
    void begin_cancel() { ++cancels_in_flight_; }
    void end_cancel() { --cancels_in_flight_; }
    bool is_being_cancelled() const { return cancels_in_flight_ > 0; }

    std::size_t on_bytes(ByteView bytes) override { return user_->on_server_bytes(*this, bytes); }
    void on_drained() override { user_->on_server_drained(*this); }
    void on_closed(Closed) override { user_->on_server_lost(*this); }

  private:
    friend class Pool;

    Facts facts_;
    PeerPtr link_;
    ServerUser* user_ = nullptr;
    protocol::Exchange exchange_;
    protocol::ServerStatements statements_;
    protocol::StatementRef unnamed_;
    protocol::ReservedStatements reserved_;
    protocol::ParameterSetRef has_;
    protocol::AcceptedValues accepted_;
    Role role_;
    int cancels_in_flight_ = 0;
    bool doomed_ = false;
    bool needs_reset_ = false;
    bool has_lent_names_ = false;  // then it needs a reset
    metrics::ServerClose doom_reason_ = metrics::ServerClose::unclean;

    // The pool's own.
    metrics::PoolMetrics* metrics_ = nullptr;
    metrics::ServerState state_ = metrics::ServerState::active;
    TimePoint since_{};  // when the state was entered
    TimePoint expires_at_ = never;
    Share::Ticket called_for_ = 0;  // on its way to another worker: the ticket that it was called for
    bool has_permit_ = true;
    // What its pool is doing for it between two clients.
    enum class Cleanup : std::uint8_t { none, drain, roll_back, reset, unset };
    Cleanup cleanup_ = Cleanup::none;
    bool maintenance_failed_ = false;
    TimePoint cancel_again_at_ = never;  // while it is drained
    std::size_t skip_ = 0;               // bytes of a message that nobody wants
};

}  // namespace pgsluice::pool
