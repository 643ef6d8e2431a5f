// Prepared statements as text, shared by every client that prepares the same. A Statement lives as long as somebody
// holds a StatementRef: a client's name for it, a server on which it is prepared, or a reply that is still owed. On
// servers it goes by a name of ours, which a client never sees.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace pgsluice::protocol {

class StatementCache;

struct Statement {
    const std::string text;
    const std::string parameter_types;  // as in Parse: the count and the OIDs
    const std::string server_name;      // "pgsluice_17"
    const std::size_t hash;

  private:
    friend class StatementCache;
    friend void intrusive_ptr_add_ref(Statement* statement);
    friend void intrusive_ptr_release(Statement* statement);
    Statement(StatementCache& owner, ByteView statement_text, ByteView types, std::uint64_t id, std::size_t text_hash);

    StatementCache& cache_;
    std::atomic<std::uint32_t> references_{0};
};

using StatementRef = boost::intrusive_ptr<Statement>;

// Names that begin so belong to us on every server.
constexpr ByteView reserved_prefix = "pgsluice_";

// All statements of the process, by text and parameter types. Thread-safe; outlives every StatementRef.
class StatementCache {
  public:
    // `hash_seed` comes from a random source, so that nobody can choose texts that collide.
    explicit StatementCache(std::uint64_t hash_seed) : seed_(hash_seed) {}
    StatementCache(const StatementCache&) = delete;
    StatementCache& operator=(const StatementCache&) = delete;

    StatementRef intern(ByteView text, ByteView parameter_types);
    std::size_t size() const;

  private:
    friend void intrusive_ptr_add_ref(Statement* statement);
    friend void intrusive_ptr_release(Statement* statement);

    struct Key {
        ByteView text, parameter_types;
        std::size_t hash;
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const Key& key) const { return key.hash; }
        std::size_t operator()(const Statement* statement) const { return statement->hash; }
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(const Statement* a, const Statement* b) const { return a == b; }
        bool operator()(const Key& key, const Statement* s) const {
            return key.text == s->text && key.parameter_types == s->parameter_types;
        }
        bool operator()(const Statement* s, const Key& key) const { return (*this)(key, s); }
    };
    // One lock per shard, since every worker interns: 16 keeps two of them from meeting often.
    struct Shard {
        mutable std::mutex mutex;
        boost::unordered_flat_set<Statement*, Hash, Equal> statements;
    };

    Shard& shard(std::size_t hash) { return shards_[(hash >> 56) % shards_.size()]; }

    const std::uint64_t seed_;
    std::atomic<std::uint64_t> next_id_{1};
    std::array<Shard, 16> shards_;
};

}  // namespace pgsluice::protocol
