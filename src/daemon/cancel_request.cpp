#include "cancel_request.hpp"

#include "worker.hpp"

#include <pgsluice/base/log.hpp>
#include <pgsluice/net/asio.hpp>

#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <utility>

namespace pgsluice::daemon {

namespace {

// The worker that has the session, with the session's number; nullptr where there is none, or nobody listens to it.
std::pair<Worker*, SessionId> find_owner(Worker& worker, const Address& source,
                                         const protocol::ClientStartup::Cancel& request) {
    constexpr std::pair<Worker*, SessionId> nobody{nullptr, SessionId{}};
    Process& process = worker.process();
    auto& outcomes = worker.metrics().worker().cancels;
    const TimePoint now = worker.read_clock();
    const auto owner = process.cancels.find(request.process_id, request.secret);
    // Nobody finds a key of 63 random bits, so whoever has one may use it. Shorter ones could be found.
    const bool is_beyond_guessing = owner && !owner->is_guessable;
    if (!is_beyond_guessing && process.cancel_guesses.is_exhausted(source, now)) {
        outcomes[metrics::CancelOutcome::limited].add();
        return nobody;
    }
    if (!owner) {
        outcomes[metrics::CancelOutcome::unknown_key].add();
        if (process.cancel_guesses.note_wrong_key(source, now)) {
            log::warning(
                "cancel_limited",
                "too many cancel requests with wrong keys: no more of them are looked at from there for a minute",
                {{"address", source.to_string()}});
        }
        return nobody;
    }
    return {worker.siblings()[number(owner->worker)], owner->session};
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
                const auto still = waiting.lock();
                if (still == nullptr) return;
                still->worker.post([waiting] {
                    if (const auto on_its_worker = waiting.lock()) on_its_worker->timer.cancel();
                });
            }};
}

}  // namespace

boost::asio::awaitable<void> take_cancel_request(Worker& worker, Address source,
                                                 protocol::ClientStartup::Cancel request, TimePoint until) {
    const auto [owner, session] = find_owner(worker, source, request);
    if (owner == nullptr) co_return;
    boost::asio::steady_timer timer(worker.io(), until);
    const auto wait = std::make_shared<Wait>(Wait{worker, timer});
    owner->post([owner = owner, session = session, token = token_of(wait)] { owner->cancel(session, token); });
    co_await timer.async_wait(net::as_tuple);
}

}  // namespace pgsluice::daemon
