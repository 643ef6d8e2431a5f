#include "cancel_request.hpp"

#include "cancel_delivery.hpp"
#include "peer_key.hpp"
#include "worker.hpp"

#include <pgsluice/base/log.hpp>
#include <pgsluice/net/asio.hpp>

#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace pgsluice::daemon {

namespace {

using protocol::ClientStartup;

// Who comes too often is told of in the log, once.
void count(CancelGuesses& sources, const Address& source, TimePoint now, std::string_view what) {
    if (!sources.note(source, now)) return;
    log::warning("cancel_limited", what, {{"address", source.to_string()}});
}

std::optional<CancelRegistry::Owner> find_owner(Process& process, const config::Peers& peers,
                                                const ClientStartup::Cancel& request) {
    auto owner = process.cancels.find(request.process_id, request.secret);
    if (owner || peers.id == 0 || !peer_key::is_forwarded(request.secret)) return owner;
    return process.cancels.find(request.process_id, peer_key::with_forwarded(request.secret, false));
}

// The pgsluice that has given the key out; nullptr where it is none of the others.
const config::Peer* find_peer(const config::Peers& peers, ByteView secret) {
    if (peers.id == 0 || peer_key::is_forwarded(secret)) return nullptr;
    const std::uint32_t id = peer_key::id_of(secret);
    const auto found = std::find_if(peers.members.begin(), peers.members.end(),
                                    [&](const config::Peer& peer) { return peer.id == id && id != peers.id; });
    return found == peers.members.end() ? nullptr : &*found;
}

// Whether the request is to be carried out. Counts it if not.
bool may_cancel(Worker& worker, const Address& source, const std::optional<CancelRegistry::Owner>& owner) {
    Process& process = worker.process();
    auto& outcomes = worker.metrics().worker().cancels;
    const TimePoint now = worker.read_clock();
    // Nobody finds a key of 57 random bits or more, so whoever has one may use it. Shorter ones could be found.
    const bool is_beyond_guessing = owner && !owner->is_guessable;
    if (!is_beyond_guessing && process.cancel_guesses.is_exhausted(source, now)) {
        outcomes[metrics::CancelOutcome::limited].add();
        return false;
    }
    if (owner) return true;
    outcomes[metrics::CancelOutcome::unknown_key].add();
    count(process.cancel_guesses, source, now,
          "too many cancel requests with wrong keys: no more of them are looked at from there for a minute");
    return false;
}

// Whether it is right only the other one can tell, and does not.
boost::asio::awaitable<void> send_to_peer(Worker& worker, Address source, config::Peer peer,
                                          ClientStartup::Cancel request) {
    Process& process = worker.process();
    auto& outcomes = worker.metrics().worker().cancels;
    const TimePoint now = worker.read_clock();
    const PeerCancels::Place place = process.peer_cancels.enter();
    if (!place || process.peer_cancels.sources.is_exhausted(source, now)) {
        outcomes[metrics::CancelOutcome::limited].add();
        co_return;
    }
    count(process.peer_cancels.sources, source, now,
          "too many cancel requests for peers: no more of them are sent on from there for a minute");
    outcomes[metrics::CancelOutcome::peer].add();
    const auto tls = worker.snapshot()->peers_tls;
    const bool encrypted = tls != nullptr && !is_unix(peer.endpoint);
    ServerRoute route{
        {peer.endpoint.host, peer.endpoint.port}, peer.endpoint.host, worker.socket_options(), encrypted, tls};
    co_await deliver_cancel(worker, std::move(route), request.process_id,
                            peer_key::with_forwarded(request.secret, true));
}

// Of the one who has sent the request, for as long as his coroutine waits.
struct Wait {
    Worker& worker;
    boost::asio::steady_timer& timer;
};

// The last who lets go of it, on whatever worker, ends the wait on the worker that it belongs to.
session::CancelToken token_of(const std::shared_ptr<Wait>& wait) {
    return {wait.get(), [waiting = std::weak_ptr<Wait>(wait)](const void*) {
                // A wait that is over may be of a worker that is gone.
                auto still = waiting.lock();
                if (still == nullptr) return;
                Worker& its_worker = still->worker;
                // From here on only the coroutine holds it: what finds it on its worker finds the timer too.
                still.reset();
                its_worker.post([waiting] {
                    if (const auto on_its_worker = waiting.lock()) on_its_worker->timer.cancel();
                });
            }};
}

}  // namespace

boost::asio::awaitable<void> take_cancel_request(Worker& worker, Address source, ClientStartup::Cancel request,
                                                 TimePoint until) {
    const std::shared_ptr<const Snapshot> snapshot = worker.snapshot();
    const config::Peers& peers = snapshot->config.peers;
    const auto owner = find_owner(worker.process(), peers, request);
    const config::Peer* peer = owner ? nullptr : find_peer(peers, request.secret);
    if (peer != nullptr) {
        co_await send_to_peer(worker, source, *peer, std::move(request));
        co_return;
    }
    if (!may_cancel(worker, source, owner)) co_return;
    Worker* const owning = worker.siblings()[number(owner->worker)];
    boost::asio::steady_timer timer(worker.io(), until);
    const auto wait = std::make_shared<Wait>(Wait{worker, timer});
    owning->post([owning, session = owner->session, token = token_of(wait)] { owning->cancel(session, token); });
    co_await timer.async_wait(net::as_tuple);
}

}  // namespace pgsluice::daemon
