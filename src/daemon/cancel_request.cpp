#include "cancel_request.hpp"

#include "worker.hpp"

#include <pgsluice/base/log.hpp>

namespace pgsluice::daemon {

void take_cancel_request(Worker& worker, const Address& source, const protocol::ClientStartup::Cancel& request) {
    Process& process = worker.process();
    auto& outcomes = worker.metrics().worker().cancels;
    const TimePoint now = worker.read_clock();
    const auto owner = process.cancels.find(request.process_id, request.secret);
    // Nobody finds a key of 63 random bits, so whoever has one may use it. Shorter ones could be found.
    const bool is_beyond_guessing = owner && !owner->is_guessable;
    if (!is_beyond_guessing && process.cancel_guesses.is_exhausted(source, now)) {
        outcomes[metrics::CancelOutcome::limited].add();
        return;
    }
    if (!owner) {
        outcomes[metrics::CancelOutcome::unknown_key].add();
        if (process.cancel_guesses.note_wrong_key(source, now)) {
            log::warning(
                "cancel_limited",
                "too many cancel requests with wrong keys: no more of them are looked at from there for a minute",
                {{"address", source.to_string()}});
        }
        return;
    }
    Worker* target = worker.siblings()[number(owner->worker)];
    target->post([target, session = owner->session] { target->cancel(session); });
}

}  // namespace pgsluice::daemon
