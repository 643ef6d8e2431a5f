#include <pgsluice/pool/pool.hpp>
#include <pgsluice/pool/upstream.hpp>
#include <pgsluice/wire/frontend_messages.hpp>

#include <algorithm>

namespace pgsluice::pool {

using metrics::ServerClose;
using metrics::ServerState;

namespace {

// Whom a server works for on its way to another worker. If its connection breaks there, its link is found closed.
struct Transit final : ServerUser {
    std::size_t on_server_bytes(Server&, ByteView) override { return 0; }
    void on_server_drained(Server&) override {}
    void on_server_lost(Server&) override {}
};
Transit transit;

}  // namespace

Pool::Pool(Setup setup)
    : key_(std::move(setup.key)),
      target_(std::move(setup.target)),
      share_(std::move(setup.share)),
      permits_(share_->permits()),
      worker_(setup.worker),
      host_(*setup.host),
      metrics_(*setup.metrics) {}

Pool::~Pool() {
    hide_size();
    while (!idle_.empty()) close(idle_.front(), ServerClose::shutdown);
    while (!servers_.empty()) close(servers_.front(), ServerClose::shutdown);
}

// --- States ----------------------------------------------------------------------------------------------------------

// The one place where a server changes its state: list, gauge and idle count move with it.
void Pool::enter(Server& server, ServerState state) {
    list_of(server).erase(ServerList::s_iterator_to(server));
    server.metrics_->servers[server.state_].sub();
    if (server.state_ == ServerState::idle) share_->remove_idle(worker_);
    if (server.state_ == ServerState::checking) --checking_;
    if (state == ServerState::checking) ++checking_;
    server.state_ = state;
    server.since_ = host_.now();
    list_of(server).push_back(server);
    server.metrics_->servers[state].add();
    if (state == ServerState::idle) share_->add_idle(worker_);
    if (state != ServerState::active) server.user_ = this;
}

void Pool::adopt(std::unique_ptr<Server> owned) {
    Server& server = *owned.release();
    server.user_ = this;
    server.metrics_ = &host_.metrics_of(*this, server.facts().label);
    server.state_ = ServerState::active;
    server.since_ = host_.now();
    server.metrics_->servers[server.state_].add();
    servers_.push_back(server);
}

std::unique_ptr<Server> Pool::remove(Server& server) {
    list_of(server).erase(ServerList::s_iterator_to(server));
    server.metrics_->servers[server.state_].sub();
    if (server.state_ == ServerState::idle) share_->remove_idle(worker_);
    if (server.state_ == ServerState::checking) --checking_;
    return std::unique_ptr<Server>(&server);
}

void Pool::send_off(const Share::Called& to, Server& server) {
    std::unique_ptr<Server> owned = remove(server);
    owned->user_ = &transit;
    owned->called_for_ = to.ticket;
    host_.move(to.worker, *this, std::move(owned));
}

void Pool::lend(Server& server, ServerUser& user) {
    if (server.state_ != ServerState::active)
        enter(server, ServerState::active);
    else
        server.since_ = host_.now();  // from one client straight to the next
    server.user_ = &user;
}

// --- Clients ---------------------------------------------------------------------------------------------------------

Server* Pool::acquire(Waiter& waiter, ServerUser& user) {
    if (!share_->anybody_waits()) {
        if (Server* server = take_idle(&waiter)) {
            lend(*server, user);
            return server;
        }
    }
    waiter.since_ = host_.now();
    waiter.user_ = &user;
    waiter.ticket_ = share_->enqueue(worker_, waiter.since_);
    waiters_.push_back(waiter);
    metrics_.waiters.add();
    // A server may have come free between the first look and the registration.
    acquiring_ = &waiter;
    acquired_ = nullptr;
    serve_others();
    acquiring_ = nullptr;
    if (acquired_ == nullptr) grow();
    return std::exchange(acquired_, nullptr);
}

// Granted or gone, it waits no longer.
void Pool::unqueue(Waiter& waiter) {
    waiters_.erase(WaiterList::s_iterator_to(waiter));
    metrics_.waiters.sub();
    renew_claim();
}

void Pool::withdraw(Waiter& waiter) {
    unqueue(waiter);
    share_->withdraw(waiter.ticket_);
}

bool Pool::fits(const Waiter& waiter, const Server& server) const {
    if (target_->settings.custom_settings == config::CustomSettings::share || !server.has()->has_custom()) return true;
    const protocol::ParameterSet* wanted = waiter.wanted_settings();
    if (wanted == nullptr) wanted = server.facts().baseline.get();
    return wanted->names_custom_of(*server.has());
}

// Somebody has made a custom setting there, and connect_query has not.
bool Pool::is_marked(const Server& server) const {
    return target_->settings.custom_settings != config::CustomSettings::share &&
           !server.facts().baseline->names_custom_of(*server.has());
}

// The last used of those that fit. Who has custom settings takes one that has some too, so that others find theirs.
Pool::ServerList::reverse_iterator Pool::best_idle(const Waiter& waiter) {
    if (target_->settings.custom_settings == config::CustomSettings::share) return idle_.rbegin();
    const protocol::ParameterSet* wanted = waiter.wanted_settings();
    const bool has_custom = wanted != nullptr && wanted->has_custom();
    const auto fitting = [&](const Server& server) { return fits(waiter, server); };
    const auto alike = std::find_if(idle_.rbegin(), idle_.rend(), [&](const Server& server) {
        return server.has()->has_custom() == has_custom && fitting(server);
    });
    return alike != idle_.rend() ? alike : std::find_if(idle_.rbegin(), idle_.rend(), fitting);
}

Server* Pool::take_idle(const Waiter* waiter) {
    const TimePoint now = host_.now();
    while (!idle_.empty()) {
        const auto best = waiter == nullptr ? idle_.rbegin() : best_idle(*waiter);
        if (best == idle_.rend()) return nullptr;
        Server& server = *best;
        if (const auto why = spent(server, now)) {
            discard(server, *why);
            continue;
        }
        const auto check_after = target_->settings.check_after_idle;
        if (check_after.count() == 0 || now - server.since_ < check_after) return &server;
        // It may have died unnoticed: ask first, and one for each who waits. It comes back through release().
        if (checking_ > 0 && checking_ >= share_->waiting()) return nullptr;
        maintain(server, ServerState::checking, "");
        return nullptr;
    }
    return nullptr;
}

// Nearly always the first one.
Waiter* Pool::find_waiter(Share::Ticket ticket) {
    const auto found =
        std::find_if(waiters_.begin(), waiters_.end(), [&](const Waiter& waiter) { return waiter.ticket_ == ticket; });
    return found == waiters_.end() ? nullptr : &*found;
}

bool Pool::give_to(Share::Ticket ticket, Server& server) {
    Waiter* waiter = find_waiter(ticket);
    if (waiter == nullptr) return false;
    if (!fits(*waiter, server)) {
        // It waits on, and the room is its.
        queue_again(ticket);
        discard(server, ServerClose::custom_settings);
        return true;
    }
    unqueue(*waiter);
    lend(server, *waiter->user_);
    if (waiter == acquiring_)
        acquired_ = &server;
    else
        waiter->on_granted(server);
    return true;
}

void Pool::queue_again(Share::Ticket ticket) {
    if (const Waiter* waiter = find_waiter(ticket)) share_->put_back({ticket, worker_, waiter->since_});
}

void Pool::release(Server& server) {
    if (const auto why = unwanted(server))
        discard(server, *why);
    else
        pass_on(server);
}

void Pool::pass_on(Server& server) {
    if (permits_.claims().any() && yield_to_sibling(server)) return;
    ServerPlaces* upstream = server.facts().upstream.get();
    if (upstream != nullptr && upstream->claims().any() && yield_to_stranger(server, *upstream)) return;
    ServerPlaces* user = target_->max_user_connections == 0 ? nullptr : server.facts().user_places.get();
    if (user != nullptr && user->claims().any() && yield_to_stranger(server, *user)) return;
    while (share_->anybody_waits()) {
        const auto called = share_->call();
        if (!called) break;
        if (called->worker != worker_) {
            send_off(*called, server);
            return;
        }
        if (!give_to(called->ticket, server)) continue;
        // One that the waiter in front could not use may be of use to those behind it.
        if (!idle_.empty()) serve_others();
        return;
    }
    enter(server, ServerState::idle);
    // Whoever registered after the last look found no idle server here: look again.
    if (share_->anybody_waits()) serve_others();
}

void Pool::serve_others() {
    while (share_->anybody_waits()) {
        const auto next = share_->next();
        if (!next) return;
        Server* server = take_idle(next->worker == worker_ ? find_waiter(next->ticket) : nullptr);
        if (server == nullptr) return;
        const auto called = share_->call();
        if (!called) return;
        if (called->worker != worker_)
            send_off(*called, *server);
        else
            give_to(called->ticket, *server);
    }
}

void Pool::on_moved_in(std::unique_ptr<Server> owned) {
    Server& server = *owned;
    adopt(std::move(owned));
    const Share::Ticket ticket = std::exchange(server.called_for_, 0);
    if (paused_) server.doom(ServerClose::paused);
    if (spent(server, host_.now()))
        queue_again(ticket);
    else if (give_to(ticket, server))
        return;
    // Its waiter has left, or cannot use it: free for anybody, or closed.
    release(server);
}

void Pool::on_lost_in_move(Server& server) {
    share_->remove_server(server.facts().generation);
    permits_.give_back();
    server.leave_places();
    host_.on_server_closed(*this, server, ServerClose::lost);
    queue_again(server.called_for_);
    use_room();
}

void Pool::check_in(Server& server) {
    if (server.is_being_cancelled()) {
        enter(server, ServerState::cancelling);
        return;
    }
    if (const auto why = unwanted(server)) {
        discard(server, *why);
    } else if (target_->in_session_mode()) {
        target_->is_replication() ? discard(server, ServerClose::replication) : reset(server);
    } else if (is_marked(server) &&
               (server.needs_reset_ || target_->settings.custom_settings == config::CustomSettings::close)) {
        // DISCARD ALL leaves the names.
        discard(server, ServerClose::custom_settings);
    } else if (server.needs_reset_) {
        reset(server);
    } else if (ends_when_idle(server)) {
        unset_idle_timeout(server);
    } else {
        pass_on(server);
    }
}

void Pool::end_cancel(Server& server) {
    server.end_cancel();
    if (server.state_ != ServerState::cancelling || server.is_being_cancelled()) return;
    // Back to a state that check_in knows.
    enter(server, ServerState::active);
    server.user_ = this;
    check_in(server);
}

void Pool::discard(Server& server, ServerClose reason) {
    close(server, reason);
    use_room();
}

void Pool::close(Server& server, ServerClose reason) {
    std::unique_ptr<Server> owned = remove(server);
    share_->remove_server(server.facts().generation);
    if (server.has_permit_) permits_.give_back();
    server.leave_places();
    // Where its answer finds the connection broken it reads no more of what it had been sent, which would run for
    // nobody. Of a stream of changes what was said last is worth its while.
    const bool is_at_rest = server.exchange().at_rest();
    if (!is_at_rest && reason != ServerClose::replication) server.link().reset();
    if (is_at_rest && reason != ServerClose::lost) {
        Bytes terminate;
        wire::write_empty(terminate, wire::FrontendTag::terminate);
        server.link().write(terminate);
    }
    server.link().close();
    host_.on_server_closed(*this, server, reason);
    host_.bury(std::move(owned));
}

// --- Time and configuration ------------------------------------------------------------------------------------------

std::optional<ServerClose> Pool::spent(const Server& server, TimePoint now) const {
    if (server.is_doomed()) return server.doom_reason();
    if (is_outdated(server)) return ServerClose::reconnect;
    if (server.facts().fingerprint != target_->fingerprint) return ServerClose::configuration;
    if (now >= server.expires_at_) return ServerClose::lifetime;
    return std::nullopt;
}

std::optional<ServerClose> Pool::unwanted(Server& server) {
    if (paused_) server.doom(ServerClose::paused);
    if (is_too_many(server)) return ServerClose::configuration;
    return spent(server, host_.now());
}

// Then it has given back its permit, and is to be closed.
bool Pool::is_too_many(Server& server) {
    if (!permits_.give_back_above(target_->settings.size + target_->settings.reserve_size)) return false;
    server.has_permit_ = false;
    return true;
}

// `why` says why one is to go.
template <class Why>
void Pool::discard_idle(Why why) {
    bool has_room = false;
    for (auto at = idle_.begin(); at != idle_.end();) {
        Server& server = *at++;
        const std::optional<ServerClose> reason = why(server);
        if (reason) close(server, *reason);
        has_room |= reason.has_value();
    }
    if (has_room) use_room();
}

void Pool::sweep(TimePoint now) {
    const config::Pool& settings = target_->settings;
    discard_idle([&](Server& server) -> std::optional<ServerClose> {
        if (is_too_many(server)) return ServerClose::configuration;
        if (const auto why = spent(server, now)) return why;
        const bool is_idle_too_long =
            settings.idle_timeout.count() != 0 && now - server.since_ >= settings.idle_timeout;
        if (is_idle_too_long && permits_.open() > min_size()) return ServerClose::idle_timeout;
        return std::nullopt;
    });
    for (auto at = servers_.begin(); at != servers_.end();) sweep_maintenance(*at++, now);
    fill();
    if (!waiters_.empty()) {
        serve_others();
        // Permits may be left while dials take long or fail, and servers be idle elsewhere.
        if (!waiters_.empty()) ask_for_idle();
        grow();
    }
    show_size();
}

TimePoint Pool::waited_since() const {
    return waiters_.empty() ? never : waiters_.front().since_;
}

// In session mode a startup packet rarely comes again: nothing is kept ready for it.
std::uint32_t Pool::min_size() const {
    return target_->in_session_mode() ? 0 : target_->settings.min_size;
}

// Siblings have one size, and one of them shows it.
void Pool::show_size() {
    const Pool*& shower = permits_.shown_by(worker_);
    if (shower == nullptr) shower = this;
    if (shower != this) return;
    const auto size = static_cast<std::int64_t>(target_->settings.size);
    metrics_.size_limit.add(size - shown_size_);
    shown_size_ = size;
}

void Pool::hide_size() {
    const Pool*& shower = permits_.shown_by(worker_);
    if (shower != this) return;
    metrics_.size_limit.sub(shown_size_);
    shower = nullptr;
}

void Pool::reconfigure(std::shared_ptr<const Target> target) {
    const bool replaced = target->fingerprint != target_->fingerprint;
    target_ = std::move(target);
    if (!replaced) return;
    retire_servers(ServerClose::configuration);
}

void Pool::reconnect(Generation from) {
    share_->replace_servers(from);
    discard_idle([&](const Server& server) {
        return is_outdated(server) ? std::optional(ServerClose::reconnect) : std::nullopt;
    });
    for (Server& server : servers_) {
        if (is_outdated(server)) server.doom(ServerClose::reconnect);
    }
}

void Pool::retire_servers(ServerClose reason) {
    for (Server& server : servers_) server.doom(reason);
    discard_idle([&](const Server&) { return std::optional(reason); });
}

void Pool::pause() {
    paused_ = true;
    share_->login_answers().doubt();
    withdraw_claim();
    retire_servers(ServerClose::paused);
}

void Pool::resume() {
    if (std::exchange(paused_, false) && !waiters_.empty()) grow();
}

void Pool::retire_servers_of(const Upstream& upstream, ServerClose reason) {
    discard_idle([&](const Server& server) {
        return server.facts().upstream.get() == &upstream ? std::optional(reason) : std::nullopt;
    });
    for (Server& server : servers_) {
        if (server.facts().upstream.get() == &upstream) server.doom(reason);
    }
}

bool Pool::carries(ByteView reported_name) const {
    using config::TargetSessionAttrs;
    const auto wanted = target_->session_attrs;
    // Where servers are chosen by it, it says something about the server and not about a client.
    const bool chosen_by = wanted == TargetSessionAttrs::read_write || wanted == TargetSessionAttrs::read_only;
    return protocol::is_carried(reported_name) && !(chosen_by && reported_name == read_only_setting);
}

bool Pool::carries(const Server& server, ByteView reported_name) const {
    return carries(reported_name) && server.facts().baseline->find(reported_name) != nullptr;
}

}  // namespace pgsluice::pool
