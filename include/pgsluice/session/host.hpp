// What a session needs of its worker, and what it shares with the other sessions there.
#pragma once

#include <pgsluice/base/time.hpp>
#include <pgsluice/config/config.hpp>
#include <pgsluice/metrics/sets.hpp>
#include <pgsluice/policy/engine.hpp>
#include <pgsluice/pool/pool.hpp>
#include <pgsluice/protocol/parameter_set.hpp>
#include <pgsluice/protocol/statement.hpp>
#include <pgsluice/sql/facts_cache.hpp>

#include <memory>

namespace pgsluice::session {

class Session;
struct Call;
struct Callee;
enum class LimitKind : std::uint8_t;

// Rules and limits as one immutable value; a session keeps the one that it began its transaction with.
struct Rulebook {
    policy::Engine policies;
    config::Limits limits;
    bool measures_calls = false;  // Host::on_call is to be told of each
};

// Goes along with a cancel request. When nobody holds it any more, the request has been sent, or will not be.
using CancelToken = std::shared_ptr<const void>;

class Host {
  public:
    // When the event began that is being handled: the clock is read once for each.
    virtual TimePoint now() const = 0;
    virtual TimePoint read_clock() = 0;
    // The rulebook in force.
    virtual const std::shared_ptr<const Rulebook>& rulebook() const = 0;
    // A fact about the session, its rulebook or the timeouts have changed: calls Session::set_limits with the rules of
    // `rulebook` that concern it, unless its route is gone; then it ends its transaction by what it had.
    virtual void refresh(Session& session, const std::shared_ptr<const Rulebook>& rulebook) = 0;
    // Calls Session::on_turn from the loop.
    virtual void defer(Session& session) = 0;
    // Sends a cancel request to the server, which is not lent again before that has ended: Pool::end_cancel follows.
    virtual void forward_cancel(pool::Pool& pool, pool::Server& server, CancelToken asked) = 0;
    // `facts` of the statement `text`; nullptr, or pointing to none, where it cannot be parsed.
    virtual void on_verdict(const Session& session, const policy::Verdict& verdict, const sql::FactsRef* facts,
                            ByteView text) = 0;
    // A statement is cut off, or refused, for a limit of a policy.
    virtual void on_limit(const Session& session, LimitKind kind, const Callee& callee) = 0;
    // A query has been answered, or its client or server has gone before that.
    virtual void on_call(const Session& session, const Call& call) = 0;
    virtual void on_logged_in(Session& session) = 0;
    // The session is over, and still on the call stack: take it out of every list and free it from the loop.
    virtual void on_ended(Session& session, metrics::Disconnect reason, const wire::SqlError* error) = 0;

  protected:
    ~Host() = default;
};

// Per worker. Outlives its sessions.
struct Context {
    Host& host;
    protocol::StatementCache& statements;
    protocol::ParameterTable& parameters;
    metrics::WorkerMetrics& metrics;
    sql::FactsCache& facts;
    policy::Shortlists& shortlists;
    Bytes to_client{}, to_server{};  // scratch of the one session that is on the stack
};

}  // namespace pgsluice::session
