// The worker as the Host of its pools: dials, moves servers to siblings, applies a new snapshot.
#include "server_dial.hpp"
#include "worker.hpp"

#include <pgsluice/base/check.hpp>
#include <pgsluice/base/log.hpp>

#include <boost/asio/co_spawn.hpp>

#include <algorithm>

namespace pgsluice::daemon {

using metrics::ServerClose;

pool::Pool& Worker::pool_for(const std::string& key, std::shared_ptr<const pool::Target> target) {
    if (pool::Pool* known = find_pool(key)) {
        // The server of another user, or one with another's settings, must not be lent whatever the keys say.
        PGSLUICE_CHECK(known->target().is_same_pool(*target));
        return *known;
    }
    return *add_pool(key, std::move(target)).pool;
}

Worker::PoolEntry& Worker::add_pool(const std::string& key, std::shared_ptr<const pool::Target> target) {
    PoolEntry entry;
    entry.origin = target;
    entry.shared = process_.shared_pool(key, *target);
    entry.used_at = now();
    pool::Pool::Setup setup;
    setup.key = key;
    setup.target = target;
    setup.share = entry.shared->share;
    setup.worker = index_;
    setup.host = this;
    setup.metrics = &sets_.pool({target->route, "*", target->database, target->user});
    entry.pool = std::make_unique<pool::Pool>(std::move(setup));
    obey_gates(*entry.pool);
    return pools_.emplace(key, std::move(entry)).first->second;
}

pool::Pool* Worker::find_pool(const std::string& key) {
    const auto found = pools_.find(key);
    return found == pools_.end() ? nullptr : found->second.pool.get();
}

SharedPool& Worker::shared(const pool::Pool& pool) {
    return *pools_.at(pool.key()).shared;
}

metrics::PoolMetrics& Worker::metrics_of(pool::Pool& pool, const std::string& server_label) {
    const pool::Target& target = pool.target();
    return sets_.pool({target.route, server_label, target.database, target.user});
}

std::uint64_t Worker::random(std::uint64_t bound) {
    return bound == 0 ? 0 : random_number() % bound;
}

void Worker::dial(pool::Pool& pool) {
    if (suspended_) {
        held_dials_.push_back(&pool);
        return;
    }
    // From the loop: a dial that fails at once must not answer from inside Pool::acquire. The pool lives as long as it
    // counts the dial.
    post([this, asked = &pool] {
        boost::asio::co_spawn(io_, dial_server(*this, *asked),
                              [this, asked](const std::exception_ptr& thrown, Dialed dialed) {
                                  end_dial(*this, *asked, thrown, std::move(dialed));
                              });
    });
}

// A server between two workers: its connection as a value, what is prepared on it as text.
void Worker::move(WorkerIndex to, pool::Pool& pool, std::unique_ptr<pool::Server> server) {
    struct Transit {
        std::string key;
        std::shared_ptr<const pool::Target> origin;
        std::unique_ptr<pool::Server> server;
        pool::Server::Luggage luggage;
        net::LinkParts parts;
    };
    auto transit = std::make_shared<Transit>();
    transit->key = pool.key();
    transit->origin = pools_.at(pool.key()).origin;
    transit->server = std::move(server);
    Worker* sibling = siblings_[number(to)];
    // Its link may be on the call stack here (the check-in follows its last reply), so it is taken apart on the next
    // turn, and until then nobody listens to it.
    transit->server->link().pause(Pause::draining);
    post([transit, sibling] {
        auto& link = static_cast<net::Link&>(transit->server->link());
        if (link.at_rest()) transit->parts = link.detach();
        transit->luggage = transit->server->pack();
        sibling->post([transit, sibling] {
            sibling->receive(transit->key, transit->origin, std::move(transit->server), std::move(transit->parts),
                             transit->luggage);
        });
    });
}

void Worker::receive(const std::string& key, std::shared_ptr<const pool::Target> origin,
                     std::unique_ptr<pool::Server> server, net::LinkParts parts, const pool::Server::Luggage& luggage) {
    pool::Pool* known = find_pool(key);
    if (known == nullptr) {
        PoolEntry& added = add_pool(key, std::move(origin));
        // The sender may have another snapshot.
        reconfigure(added);
        known = added.pool.get();
    }
    pool::Pool& pool = *known;
    if (!parts.socket) {
        pool.on_lost_in_move(*server);
        return;
    }
    net::LinkPtr link = net::Link::attach(reactor_, std::move(parts));
    net::Link& attached = *link;
    server->unpack(net::as_peer(std::move(link)), luggage, statements_);
    heed_suspension(attached);
    attached.start(*server);
    pool.on_moved_in(std::move(server));
}

void Worker::ask_for_idle(WorkerIndex worker, pool::Pool& pool) {
    Worker* sibling = siblings_[number(worker)];
    sibling->post([sibling, key = pool.key()] {
        if (pool::Pool* asked = sibling->find_pool(key)) asked->serve_others();
    });
}

void Worker::on_server_closed(pool::Pool& pool, const pool::Server& server, ServerClose reason) {
    const pool::Target& target = pool.target();
    sets_.server({target.cluster.name, server.facts().label}).closes[reason].add();
    cancel_forwards_.on_server_closed(server.facts().id);
    if (!snapshot_->config.log.pool_errors && reason == ServerClose::lost) return;
    const auto why = metrics::names_of(ServerClose{})[static_cast<std::size_t>(reason)];
    const std::initializer_list<log::Field> fields{{"reason", why},
                                                   {"route", target.route},
                                                   {"server", server.facts().label},
                                                   {"database", target.database},
                                                   {"user", target.user}};
    const bool is_trouble =
        reason == ServerClose::lost || reason == ServerClose::reset_failed || reason == ServerClose::check_failed;
    if (is_trouble)
        log::warning("server_disconnected", "a server connection was lost", fields);
    else
        log::debug("server_disconnected", "a server connection was closed", fields);
}

// --- Room for others -------------------------------------------------------------------------------------------------

struct Worker::RoomSearch {
    pool::Eviction wish;
    std::vector<Worker*> left;  // to be asked, the next at the back
    Worker* asker;
    std::function<void(bool)> then;
};

bool Worker::evict_idle(const pool::Eviction& wish) {
    pool::Pool* oldest = nullptr;
    TimePoint since = never;
    for (auto& [key, entry] : pools_) {
        const TimePoint candidate = entry.pool->oldest_idle(wish);
        if (candidate < since) {
            since = candidate;
            oldest = entry.pool.get();
        }
    }
    return oldest != nullptr && oldest->evict_idle(wish);
}

void Worker::make_room(pool::Eviction wish, std::function<void(bool made)> then) {
    auto search = std::make_shared<RoomSearch>(RoomSearch{std::move(wish), siblings_, this, std::move(then)});
    std::iter_swap(std::find(search->left.begin(), search->left.end(), this), std::prev(search->left.end()));
    ask_for_room(std::move(search));
}

void Worker::ask_for_room(std::shared_ptr<RoomSearch> search) {
    Worker* asked = search->left.back();
    search->left.pop_back();
    asked->post([asked, search = std::move(search)] {
        const bool made = asked->evict_idle(search->wish);
        if (!made && !search->left.empty()) {
            asked->ask_for_room(search);
            return;
        }
        search->asker->post([search, made] { search->then(made); });
    });
}

void Worker::make_room(pool::Pool& pool) {
    make_room({nullptr, pool.share().permits_ref(), &pool.share()}, [this, key = pool.key()](bool made) {
        if (pool::Pool* asker = find_pool(key)) asker->on_room_sought(made);
    });
}

void Worker::offer_room(WorkerIndex worker, const std::string& key) {
    Worker* sibling = siblings_[number(worker)];
    sibling->post([sibling, key] {
        if (pool::Pool* claimant = sibling->find_pool(key)) claimant->on_room_made();
    });
}

// --- A new snapshot --------------------------------------------------------------------------------------------------

void Worker::publish(std::shared_ptr<const Snapshot> snapshot) {
    snapshot_ = std::move(snapshot);
    rules_cache_ = {};
    shortlists_ = {};
    facts_.set_limits({.longest_text = snapshot_->config.limits.parse_inline});
    rule_metrics_.assign(snapshot_->config.policies.size(), nullptr);
    queries_.set_capacity(snapshot_->config.insight_max_queries);
    auth_queries_.reset();
    for (auto& [key, entry] : pools_) reconfigure(entry);
    // Routes that are gone take their clients along, each at the end of its transaction.
    std::vector<SessionId> homeless;
    for (auto& [id, client] : sessions_) {
        if (snapshot_->route(client.route) == nullptr)
            homeless.push_back(id);
        else
            refresh(*client.session, client.session->rulebook());
    }
    for (const SessionId id : homeless) {
        if (const auto found = sessions_.find(id); found != sessions_.end()) found->second.session->drain();
    }
    fill_minimum_pools();
}

void Worker::reconfigure(PoolEntry& entry) {
    const config::Route* route = snapshot_->route(entry.origin->route);
    if (route == nullptr) {
        // Its clients go at the end of their transactions, and nothing is opened for those to come.
        auto closing = std::make_shared<pool::Target>(*entry.pool->target_ref());
        closing->settings.min_size = 0;
        entry.pool->reconfigure(std::move(closing));
        entry.pool->retire_servers(ServerClose::configuration);
        return;
    }
    // From the names that its key has. Those of the last snapshot may have been rewritten, and where a rewriting is
    // taken back, the clients that come by this key would work somewhere else. Its clients keep the mode that they came
    // for, and those to come have another key.
    const pool::Target& origin = *entry.origin;
    auto target = std::make_shared<pool::Target>(
        *snapshot_->target(*route, origin.database, origin.user, origin.startup, origin.settings.mode));
    // Under other names clients to come have another pool, and only one of the two is to keep connections ready.
    if (target->key() != origin.key()) target->settings.min_size = 0;
    process_.gates.follow(entry.pool->target().database, target->database, snapshot_);
    entry.pool->reconfigure(std::move(target));
    obey_gates(*entry.pool);
}

// In session mode each startup packet has a pool, and names are the clients' to choose.
void Worker::drop_unused_pools(TimePoint at) {
    constexpr Milliseconds kept_for{60000};
    for (auto each = pools_.begin(); each != pools_.end();) {
        PoolEntry& entry = each->second;
        if (entry.clients > 0 || !entry.pool->is_empty()) entry.used_at = at;
        each = at - entry.used_at > kept_for ? pools_.erase(each) : std::next(each);
    }
}

// Pools whose names the configuration fixes are filled before the first client comes.
void Worker::fill_minimum_pools() {
    for (const config::Route& route : snapshot_->config.routes) {
        if (route.pool.min_size == 0 || route.database.empty() || route.user.empty()) continue;
        if (route.pool.mode == config::PoolMode::session) continue;
        auto target = snapshot_->target(route, route.database, route.user, {});
        const std::string key = target->key();
        pool_for(key, std::move(target));
    }
}

}  // namespace pgsluice::daemon
