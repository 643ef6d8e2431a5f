// SUSPEND: until it is over no connection that relays is heard, no server is dialled, and no time limit of a client or
// an idle server runs out. What they have been owed goes out meanwhile, but for those that do not take it within
// timeouts.suspend: they are closed. Logins of clients and dials that had begun go on, each as far as it gets without a
// server that is heard. Pausing a connection is what the relay does for its own reasons too, so that it costs nothing
// when nobody suspends.
#include "worker.hpp"

namespace pgsluice::daemon {

namespace {

// For what clients and servers have said meanwhile: it is read before anybody is told that he was silent for too long.
constexpr Milliseconds grace{1000};

}  // namespace

// Those that relay. Logins have sockets of their own, and come to a stand on their way.
template <class Act>
void Worker::each_link(Act act) {
    for (const auto& [id, client] : sessions_) act(client.session->client());
    for (auto& [key, entry] : pools_) entry.pool->each_server([&](pool::Server& server) { act(server.link()); });
}

void Worker::obey_suspension() {
    const bool is_wanted = process_.gates.is_suspended();
    if (is_wanted == suspended_) return;
    suspended_ = is_wanted;
    if (suspended_) {
        each_link([](Peer& link) { link.pause(Pause::suspended); });
        return;
    }
    limits_hold_from_ = read_clock() + grace;
    each_link([](Peer& link) { link.resume(Pause::suspended); });
    for (pool::Pool* const pool : std::exchange(held_dials_, {})) dial(*pool);
}

std::size_t Worker::unflushed() {
    std::size_t count = 0;
    each_link([&](const Peer& link) { count += link.congested() ? 1 : 0; });
    for (const auto& [key, entry] : pools_) count += entry.pool->dialing();
    return count - held_dials_.size();
}

// A server that does not read what its client has sent goes with him: what it would answer nobody could tell.
void Worker::close_unflushed() {
    if (!suspended_) return;  // somebody has let it go on meanwhile
    read_clock();
    std::set<const pool::Server*> stuck;
    for (auto& [key, entry] : pools_) {
        entry.pool->each_server([&](pool::Server& server) {
            if (server.link().congested()) stuck.insert(&server);
        });
    }
    std::vector<SessionId> ids;
    for (const auto& [id, client] : sessions_) {
        const session::Session& session = *client.session;
        if (session.client().congested() || stuck.contains(session.server())) ids.push_back(id);
    }
    const auto error = wire::fatal("57P01", "terminating connection due to suspend timeout");
    for (const SessionId id : ids) {
        if (const auto found = sessions_.find(id); found != sessions_.end())
            found->second.session->end(metrics::Disconnect::timeout, &error);
    }
    for (auto& [key, entry] : pools_) {
        std::vector<pool::Server*> still_stuck;
        entry.pool->each_server([&](pool::Server& server) {
            if (server.link().congested()) still_stuck.push_back(&server);
        });
        for (pool::Server* const server : still_stuck) entry.pool->discard(*server, metrics::ServerClose::unclean);
    }
}

}  // namespace pgsluice::daemon
