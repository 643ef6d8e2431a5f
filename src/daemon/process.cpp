#include "process.hpp"

#include <pgsluice/base/check.hpp>

#include <openssl/rand.h>

#include <cstring>

namespace pgsluice::daemon {

Bytes random_bytes(std::size_t count) {
    Bytes bytes(count, '\0');
    // Without randomness no login and no cancel key is safe, so there is nothing to go on with.
    PGSLUICE_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) == 1);
    return bytes;
}

std::uint64_t random_number() {
    const Bytes bytes = random_bytes(sizeof(std::uint64_t));
    std::uint64_t number = 0;
    std::memcpy(&number, bytes.data(), sizeof number);
    return number;
}

Process::Process(metrics::Registry& registry, std::size_t worker_count)
    : workers(worker_count),
      metrics(registry),
      statement_seed{random_number(), random_number()},
      cancel_guesses(random_number()),
      peer_cancels(random_number()),
      secret(Secret(random_bytes(32))) {}

std::shared_ptr<SharedPool> Process::shared_pool(const std::string& key, const pool::Target& target) {
    const std::lock_guard lock(mutex_);
    if (auto known = pools_[key].lock()) return known;
    auto permits = permits_[target.permits_key()].lock();
    if (permits == nullptr) permits_[target.permits_key()] = permits = std::make_shared<pool::Permits>(workers);
    auto changes = schema_changes_[target.database].lock();
    if (changes == nullptr) schema_changes_[target.database] = changes = std::make_shared<pool::SchemaChanges>();
    auto made =
        std::make_shared<SharedPool>(std::make_shared<pool::Share>(workers, std::move(permits), std::move(changes)));
    pools_[key] = made;
    const auto is_gone = [](const auto& entry) { return entry.second.expired(); };
    std::erase_if(pools_, is_gone);
    std::erase_if(permits_, is_gone);
    std::erase_if(schema_changes_, is_gone);
    return made;
}

// Names are clients' to choose where auth.query knows them: they go with the last connection.
std::shared_ptr<pool::ServerPlaces> Process::user_places(const std::string& server_user) {
    const std::lock_guard lock(mutex_);
    if (auto known = user_places_[server_user].lock()) return known;
    auto made = std::make_shared<pool::ServerPlaces>();
    user_places_[server_user] = made;
    std::erase_if(user_places_, [](const auto& entry) { return entry.second.expired(); });
    return made;
}

std::shared_ptr<pool::Upstream> Process::upstream(const std::string& cluster, const config::Endpoint& endpoint) {
    const std::lock_guard lock(mutex_);
    auto& known = upstreams_[cluster + '/' + endpoint.label()];
    if (known == nullptr) known = std::make_shared<pool::Upstream>();
    return known;
}

}  // namespace pgsluice::daemon
