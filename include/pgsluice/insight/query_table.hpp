// Statistics of the queries that pass a worker, as pg_stat_statements keeps them in a server: by fingerprint, route and
// user. One per worker, not locked.
//
// It is bounded. When it is full, a sixteenth of it makes room at once, so that the search for what is worth least is
// paid for by the many entries that follow. Worth is use: each call counts one, and one more for each millisecond of
// server time, so that what heads the lists by calls and by time stays, and texts that come once give way to each
// other. At each of these moments worth falls by a tenth, so that what is not called any more goes in the end.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/base/siphash.hpp>
#include <pgsluice/insight/picture.hpp>
#include <pgsluice/insight/statistics.hpp>

#include <boost/unordered/unordered_flat_set.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace pgsluice::insight {

// What is longer is cut, between characters of UTF-8.
constexpr std::size_t longest_text = 4096;  // bytes

class QueryTable {
  public:
    // `seed`: random, so that nobody can choose names and texts that collide. `capacity`: queries; 0 keeps none.
    QueryTable(SipKey seed, std::size_t capacity) : seed_(seed), capacity_(capacity) {}
    QueryTable(const QueryTable&) = delete;
    QueryTable& operator=(const QueryTable&) = delete;

    // Without it nothing needs to be measured.
    bool is_on() const { return capacity_ > 0; }

    // `normalized_text` is looked at only where the query is new. Allocates nothing where it is not.
    void record(const Key& key, const Call& call, ByteView normalized_text);

    // What is too much then is evicted at once; 0 resets.
    void set_capacity(std::size_t capacity);
    void reset();  // the count of evictions too

    std::size_t size() const { return entries_.size(); }
    std::size_t capacity() const { return capacity_; }
    // A copy of about 1.2 KiB for each query, made in less than a microsecond each.
    Picture picture() const;

  private:
    struct Entry {
        std::uint64_t hash = 0;
        double worth = 0;
        Statistics statistics;
    };
    struct Hashed {
        const Key& key;
        std::uint64_t hash;
    };
    struct Hash {
        using is_transparent = void;
        using is_avalanching = void;  // SipHash mixes well enough
        std::size_t operator()(const Hashed& key) const { return key.hash; }
        std::size_t operator()(const std::unique_ptr<Entry>& entry) const { return entry->hash; }
        std::size_t operator()(const Entry* entry) const { return entry->hash; }
    };
    struct Equal {
        using is_transparent = void;
        template <class Pointer>
        bool operator()(const Hashed& key, const Pointer& entry) const {
            const Query& query = *entry->statistics.query;
            return key.key.fingerprint == query.fingerprint && key.key.route == query.route &&
                   key.key.user == query.user;
        }
        bool operator()(const Entry* a, const std::unique_ptr<Entry>& b) const { return a == b.get(); }
        bool operator()(const std::unique_ptr<Entry>& a, const std::unique_ptr<Entry>& b) const { return a == b; }
    };

    Entry& add(const Hashed& key, ByteView normalized_text);
    void evict(std::size_t count);

    const SipKey seed_;
    std::size_t capacity_;
    boost::unordered_flat_set<std::unique_ptr<Entry>, Hash, Equal> entries_;
    std::uint64_t evicted_ = 0;
};

}  // namespace pgsluice::insight
