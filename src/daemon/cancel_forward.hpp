// The cancel requests on their way from one worker to its servers. Each goes over the same kind of connection as the
// one that it cancels, and has ended when the server closes that: until then it may still be on its way.
//
// A server has one at a time. Those that come meanwhile may mean a later query of its session, so they are one more
// together, sent when the first has ended and only if the session is still being answered. What a client can spend by
// sending thousands of them is thus one connection; and all servers together have few at a time, the others wait. Where
// a server connection has been closed meanwhile in the middle of an answer they are sent too, since a backend runs its
// query on although nobody hears it; and once more a second later where the first was delivered, since one that comes
// before the query has been read strikes nothing and the backend tells nobody. Those that somebody waits for go first.
#pragma once

#include <pgsluice/base/time.hpp>
#include <pgsluice/pool/pool.hpp>
#include <pgsluice/session/host.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <deque>
#include <memory>
#include <vector>

namespace pgsluice::daemon {

class Worker;
struct ServerRoute;

class CancelForwards {
  public:
    // Over all workers, each of which may have one in any case.
    static constexpr std::size_t at_once = 48;

    explicit CancelForwards(Worker& worker) : worker_(worker) {}
    CancelForwards(const CancelForwards&) = delete;
    CancelForwards& operator=(const CancelForwards&) = delete;

    // The server is not lent again before the request has ended; then the token is let go of, and Pool::end_cancel is
    // called if the server is still there.
    void request(pool::Pool& pool, pool::Server& server, session::CancelToken token);
    void on_server_closed(ServerId id);
    void sweep(TimePoint now);

  private:
    struct Forward {
        pool::Pool* pool;
        pool::Server* server;  // nullptr: closed meanwhile
        // What the request needs, which outlives the server.
        std::shared_ptr<const ServerRoute> route;
        std::int32_t process_id;
        Bytes secret;
        bool was_left_running = false;  // closed in the middle of an answer
        bool is_asked_again = false;
        bool is_repeated = false;  // or is going to be
        // Of those who ask again; the others are with the coroutine.
        std::vector<session::CancelToken> tokens{};
    };
    static bool is_wanted(const Forward& forward);
    bool has_room() const;
    void queue(ServerId id, const Forward& forward);
    void send_waiting();
    void send(ServerId id);
    void end(ServerId id);
    void on_sent(ServerId id, bool was_delivered);

    struct Repeat {
        TimePoint due;
        ServerId id;
    };

    Worker& worker_;
    boost::unordered_flat_map<ServerId, Forward> forwards_;
    std::deque<ServerId> awaited_;  // by clients
    std::deque<ServerId> waiting_;  // behind those
    std::deque<Repeat> repeats_;    // by when they are due
    std::size_t under_way_ = 0;
};

}  // namespace pgsluice::daemon
