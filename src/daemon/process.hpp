// What all workers of the process share. Everything here is thread-safe and off the relay path.
#pragma once

#include "cancel_guesses.hpp"
#include "cancel_registry.hpp"
#include "client_limits.hpp"
#include "gates.hpp"
#include "key_cache.hpp"
#include "lookup_findings.hpp"
#include "orders.hpp"
#include "peer_cancels.hpp"

#include <pgsluice/config/config.hpp>
#include <pgsluice/metrics/registry.hpp>
#include <pgsluice/pool/share.hpp>
#include <pgsluice/pool/target.hpp>
#include <pgsluice/pool/upstream.hpp>
#include <pgsluice/protocol/server_login.hpp>
#include <pgsluice/protocol/statement.hpp>

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace pgsluice::daemon {

// A pool over all workers: its permits and waiters, and what logs in to its servers where configuration has no
// password: the proof that the client gave last.
struct SharedPool {
    explicit SharedPool(std::shared_ptr<pool::Share> shared) : share(std::move(shared)) {}

    void pass_through(protocol::ServerLogin::Password password) {
        const std::lock_guard lock(mutex);
        proof = std::move(password);
    }
    protocol::ServerLogin::Password passed_through() const {
        const std::lock_guard lock(mutex);
        return proof;
    }

    const std::shared_ptr<pool::Share> share;

  private:
    mutable std::mutex mutex;
    protocol::ServerLogin::Password proof;  // protected by mutex
};

class Process {
  public:
    Process(metrics::Registry& registry, std::size_t worker_count);

    std::shared_ptr<SharedPool> shared_pool(const std::string& key, const pool::Target& target);
    std::shared_ptr<pool::Upstream> upstream(const std::string& cluster, const config::Endpoint& endpoint);
    // What the server connections of one user are counted by, whatever their pools.
    std::shared_ptr<pool::ServerPlaces> user_places(const std::string& server_user);
    SessionId next_session() { return SessionId{next_session_.fetch_add(1, std::memory_order_relaxed)}; }
    pool::Generation next_generation() { return next_generation_.fetch_add(1, std::memory_order_relaxed); }
    ServerId next_server() { return ServerId{next_server_.fetch_add(1, std::memory_order_relaxed)}; }

    const std::size_t workers;
    metrics::Registry& metrics;
    const protocol::StatementCache::Seed statement_seed;
    CancelRegistry cancels;
    CancelGuesses cancel_guesses;
    PeerCancels peer_cancels;
    ClientLimits clients;
    Gates gates;
    KeyCache keys;
    LookupFindings lookups;
    const Secret secret;                  // makes the salts of users without a verifier
    boost::asio::thread_pool helpers{2};  // key derivation, which takes long
    Orders* orders = nullptr;             // set before any worker starts
    std::atomic<bool> draining{false};

  private:
    std::mutex mutex_;
    // Protected by mutex_.
    std::map<std::string, std::weak_ptr<SharedPool>> pools_;
    std::map<std::string, std::weak_ptr<pool::Permits>> permits_;
    std::map<std::string, std::weak_ptr<pool::SchemaChanges>> schema_changes_;  // by database, in whatever cluster
    std::map<std::string, std::shared_ptr<pool::Upstream>> upstreams_;
    std::map<std::string, std::weak_ptr<pool::ServerPlaces>> user_places_;
    std::atomic<std::uint64_t> next_session_{1}, next_server_{1}, next_generation_{1};
};

// From OpenSSL's generator.
Bytes random_bytes(std::size_t count);
std::uint64_t random_number();

}  // namespace pgsluice::daemon
