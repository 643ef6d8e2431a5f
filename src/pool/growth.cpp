// How a pool comes by connections: it dials where a permit is left, asks where a server is idle, and has siblings make
// room.
#include <pgsluice/pool/pool.hpp>
#include <pgsluice/pool/upstream.hpp>

#include <algorithm>
#include <utility>

namespace pgsluice::pool {

using metrics::ServerClose;
using metrics::ServerState;

std::uint32_t Pool::size_limit(TimePoint now) const {
    const config::Pool& settings = target_->settings;
    if (settings.reserve_size == 0) return settings.size;
    const auto oldest = share_->oldest();
    const bool reserve = oldest && now - *oldest >= settings.reserve_timeout;
    return settings.size + (reserve ? settings.reserve_size : 0);
}

void Pool::grow() {
    if (!paused_) dial_for_waiters();
    offer_room(never);
}

void Pool::dial_for_waiters() {
    // A server that refuses is not asked again at each turn, where those that are open will serve who waits.
    if (share_->servers() > 0 && host_.now() < dial_again_at_) {
        ask_for_idle();
        return;
    }
    const std::uint32_t limit = size_limit(host_.now());
    const std::uint32_t at_once = std::max<std::uint32_t>(1, target_->cluster.max_connecting);
    while (dialing_ + checking_ < waiters_.size() && dialing_ < at_once) {
        const bool is_behind = is_behind_sibling(lacking_since());
        if (is_behind || !permits_.try_take(limit)) {
            if (!is_behind && close_misfit()) continue;
            ask_for_idle();
            claim_permit();
            return;
        }
        ++dialing_;
        metrics_.servers[ServerState::connecting].add();
        host_.dial(*this);
    }
    withdraw_claim();
}

// Since when the oldest client waits that no connection is being made or checked for. There is one.
TimePoint Pool::lacking_since() const {
    return std::next(waiters_.begin(), dialing_ + checking_)->since_;
}

// Whoever waits on another worker would hear of it from nobody else.
void Pool::use_room() {
    if (!waiters_.empty()) return grow();
    const auto next = share_->anybody_waits() ? share_->next() : std::nullopt;
    if (!next) {
        offer_room(never);
    } else if (!offer_room(share_->oldest().value_or(never)) && next->worker != worker_) {
        host_.offer_room(next->worker, key_);
    }
}

// Idle, and of no use to who waits longest here: its room is.
bool Pool::close_misfit() {
    const auto misfit =
        std::find_if(idle_.begin(), idle_.end(), [&](const Server& server) { return !fits(waiters_.front(), server); });
    if (misfit == idle_.end()) return false;
    close(*misfit, ServerClose::custom_settings);
    return true;
}

// Up to min_size, for nobody yet: where a dial fails, not before connect_retry is over.
void Pool::fill() {
    while (!paused_ && permits_.open() < min_size() && host_.now() >= dial_again_at_ && !is_behind_sibling(never) &&
           permits_.try_take(min_size())) {
        ++dialing_;
        metrics_.servers[ServerState::connecting].add();
        host_.dial(*this);
    }
}

void Pool::ask_for_idle() {
    if (const auto other = share_->somebody_idle(worker_)) host_.ask_for_idle(*other, *this);
}

// --- Siblings --------------------------------------------------------------------------------------------------------

// Siblings take permits in the order of their clients' waits. The claims are in one order, so the first of them is
// never behind another, and one that cannot use a permit (paused, or after a failed dial) has none.

// A sibling that has idle servers closes one; one that has none sees who claims a permit at its next check-in.
void Pool::claim_permit() {
    if (!permits_.has_siblings()) return;
    has_claim_ = true;
    permits_.claims().enter({share_.get(), worker_, lacking_since(), key_});
    if (!is_used_up() || is_making_room_) return;
    is_making_room_ = true;
    host_.make_room(*this);
}

void Pool::withdraw_claim() {
    if (!std::exchange(has_claim_, false)) return;
    permits_.claims().withdraw(share_.get(), worker_);
}

// A waiter has been served or has left.
void Pool::renew_claim() {
    if (!has_claim_) return;
    if (dialing_ + checking_ < waiters_.size()) {
        permits_.claims().renew(share_.get(), worker_, lacking_since());
        return;
    }
    withdraw_claim();
    offer_room(never);
}

bool Pool::is_behind_sibling(TimePoint since) const {
    return permits_.claims().any() && permits_.claims().has_older(share_.get(), since);
}

bool Pool::offer_room(TimePoint others) {
    if (!permits_.claims().any() || is_used_up()) return false;
    const auto claim = permits_.claims().offer(share_.get(), others);
    if (claim) host_.offer_room(claim->worker, claim->key);
    return claim.has_value();
}

void Pool::on_room_sought(bool made) {
    is_making_room_ = false;
    if (made) on_room_made();
}

void Pool::on_room_made() {
    use_room();
}

bool Pool::yield_to_sibling(Server& server) {
    const auto claim = permits_.claims().offer(share_.get(), share_->oldest().value_or(never));
    if (!claim) return false;
    close(server, ServerClose::evicted);
    host_.offer_room(claim->worker, claim->key);
    if (!waiters_.empty()) grow();
    return true;
}

bool Pool::yield_to_stranger(Server& server, ServerPlaces& places) {
    if (!places.must_yield(share_.get(), share_->oldest().value_or(never), host_.now())) return false;
    close(server, ServerClose::evicted);
    // The permit is left. Its next connection waits for a place in its turn.
    use_room();
    return true;
}

void Pool::on_dialed(std::unique_ptr<Server> owned) {
    --dialing_;
    metrics_.servers[ServerState::connecting].sub();
    Server& server = *owned;
    dial_again_at_ = {};
    refusal_.reset();
    const auto lifetime = target_->settings.lifetime;
    if (lifetime.count() != 0) {
        // Within a tenth, so that servers opened together do not all end together.
        const auto spread = static_cast<std::uint64_t>(lifetime.count()) / 5 + 1;
        server.expires_at_ = server.facts().opened_at + lifetime * 9 / 10 +
                             Milliseconds(static_cast<Milliseconds::rep>(host_.random(spread)));
    }
    const Server::Facts& facts = server.facts();
    // While the pool is paused it is closed at once, and RESUME is to bring new ones.
    if (!paused_) share_->learn_login(facts.generation, facts.fingerprint, {facts.reported, facts.baseline});
    share_->add_server(facts.generation);
    adopt(std::move(owned));
    release(server);
    if (!waiters_.empty()) grow();
}

void Pool::on_dial_failed(const wire::SqlError& why, bool temporary) {
    --dialing_;
    metrics_.servers[ServerState::connecting].sub();
    permits_.give_back();
    if (paused_) {
        // Clients wait for RESUME, whatever a server says that was asked before.
        withdraw_claim();
        offer_room(never);
        return;
    }
    refusal_ = temporary ? std::nullopt : std::optional(why);
    if (!temporary || waiters_.empty()) {
        dial_again_at_ = host_.now() + target_->connect_retry;
        withdraw_claim();
    }
    // Where servers are open, one of them will come back; sweep() tries again to add to them. A walsender never does,
    // and those of siblings were made for another startup packet.
    if (temporary || (share_->servers() > 0 && !target_->is_replication())) {
        offer_room(never);
        ask_for_idle();
        return;
    }
    while (!waiters_.empty()) {
        Waiter& waiter = waiters_.front();
        withdraw(waiter);
        waiter.on_refused(why);
    }
}

bool Pool::may_evict(const Server& server, const Eviction& wish) const {
    if (wish.permits != nullptr) return wish.permits.get() == &permits_ && wish.asker != share_.get();
    return server.facts().upstream == wish.places || server.facts().user_places == wish.places;
}

TimePoint Pool::oldest_idle(const Eviction& wish) const {
    for (const Server& server : idle_) {
        if (may_evict(server, wish)) return server.since_;
    }
    return never;
}

bool Pool::evict_idle(const Eviction& wish) {
    for (Server& server : idle_) {
        if (!may_evict(server, wish)) continue;
        close(server, ServerClose::evicted);
        return true;
    }
    return false;
}

}  // namespace pgsluice::pool
