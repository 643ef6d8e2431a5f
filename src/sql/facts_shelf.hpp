// Facts by a key of bytes, the least recently used first to go. Keeps whatever it is given: what is worth keeping, and
// when something has to go, is for FactsCache.
#pragma once

#include <pgsluice/sql/facts_cache.hpp>

#include <boost/unordered/unordered_flat_set.hpp>

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>

namespace pgsluice::sql {

class FactsShelf {
  public:
    struct Key {
        ByteView bytes;
        Reading how;
        std::uint64_t hash;  // of the bytes, by what strangers do not know
    };

    // nullptr: not there. What is found was used now. Good until the next call that is not find(). Allocates nothing.
    const FactsRef* find(const Key& key);
    // What is not there yet.
    void insert(const Key& key, FactsRef facts);
    // The least recently used; there is one.
    void drop();

    bool empty() const { return entries_.empty(); }
    // Bytes of all that it keeps. Facts that somebody else keeps too are counted in full.
    std::size_t memory() const { return entries_memory_ + table_.bucket_count() * bucket_bytes; }
    // What an entry would add.
    static std::size_t memory_of(const Key& key, const FactsRef& facts);
    // Bytes that facts take.
    static std::size_t heap_of(const FactsRef& facts);

  private:
    struct Entry {
        std::string bytes;
        Reading how;
        std::uint64_t hash;
        FactsRef facts;
        std::size_t memory;
    };
    using Entries = std::list<Entry>;  // most recently used first
    struct Hash {
        using is_transparent = void;
        using is_avalanching = void;
        std::size_t operator()(const Key& key) const { return key.hash; }
        std::size_t operator()(Entries::iterator entry) const { return entry->hash; }
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(Entries::iterator a, Entries::iterator b) const { return a == b; }
        bool operator()(const Key& key, Entries::iterator entry) const {
            return key.hash == entry->hash && key.how == entry->how && key.bytes == entry->bytes;
        }
        bool operator()(Entries::iterator entry, const Key& key) const { return (*this)(key, entry); }
    };
    static constexpr std::size_t bucket_bytes = sizeof(Entries::iterator) + 1;  // and a byte of its group

    Entries entries_;
    boost::unordered_flat_set<Entries::iterator, Hash, Equal> table_;
    std::size_t entries_memory_ = 0;
};

}  // namespace pgsluice::sql
