#include <pgsluice/protocol/statement.hpp>

#include <cstring>

namespace pgsluice::protocol {
namespace {

// Multiply-and-fold over eight bytes at a time, keyed by the seed: fast, and its collisions cannot be computed in
// advance.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide{a} * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t mix(std::uint64_t state, ByteView bytes, std::uint64_t seed) {
    constexpr std::uint64_t odd = 0x9E3779B97F4A7C15;
    state ^= fold(bytes.size() ^ odd, seed | 1);
    while (bytes.size() >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), 8);
        state = fold(state ^ word ^ odd, seed ^ word);
        bytes.remove_prefix(8);
    }
    std::uint64_t tail = 0;
    std::memcpy(&tail, bytes.data(), bytes.size());
    return fold(state ^ tail ^ odd, seed ^ ~tail);
}

}  // namespace

Statement::Statement(StatementCache& owner, ByteView statement_text, ByteView types, std::uint64_t id,
                     std::size_t text_hash)
    : text(statement_text),
      parameter_types(types),
      server_name(std::string(reserved_prefix) + std::to_string(id)),
      hash(text_hash),
      cache_(owner) {}

StatementRef StatementCache::intern(ByteView text, ByteView parameter_types) {
    const Key key{text, parameter_types, mix(mix(seed_, text, seed_), parameter_types, seed_)};
    Shard& home = shard(key.hash);
    const std::lock_guard lock(home.mutex);
    if (const auto found = home.statements.find(key); found != home.statements.end()) return StatementRef(*found);
    const std::uint64_t id = next_id_.fetch_add(1, std::memory_order_relaxed);
    // NOLINTNEXTLINE(cppcoreguidelines-owning-memory): owned by its references, freed by the last of them
    auto* made = new Statement(*this, text, parameter_types, id, key.hash);
    home.statements.insert(made);
    return StatementRef(made);
}

std::size_t StatementCache::size() const {
    std::size_t total = 0;
    for (const Shard& each : shards_) {
        const std::lock_guard lock(each.mutex);
        total += each.statements.size();
    }
    return total;
}

void intrusive_ptr_add_ref(Statement* statement) {
    statement->references_.fetch_add(1, std::memory_order_relaxed);
}

// The last reference is given up under the shard's lock: otherwise intern() could hand out a statement that is being
// freed.
void intrusive_ptr_release(Statement* statement) {
    std::uint32_t seen = statement->references_.load(std::memory_order_relaxed);
    while (seen > 1) {
        if (statement->references_.compare_exchange_weak(seen, seen - 1, std::memory_order_acq_rel)) return;
    }
    auto& home = statement->cache_.shard(statement->hash);
    const std::lock_guard lock(home.mutex);
    if (statement->references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    home.statements.erase(statement);
    delete statement;  // NOLINT(cppcoreguidelines-owning-memory)
}

}  // namespace pgsluice::protocol
