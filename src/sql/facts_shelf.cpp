#include "facts_shelf.hpp"

#include <utility>

namespace pgsluice::sql {
namespace {

constexpr std::size_t block = 16;   // what malloc() adds and rounds up to
constexpr std::size_t sparse = 16;  // buckets per entry

}  // namespace

std::size_t FactsShelf::heap_of(const FactsRef& facts) {
    return facts == nullptr ? 0 : 2 * block + sql::memory_of(*facts);  // the counts of its references lie beside it
}

std::size_t FactsShelf::memory_of(const Key& key, const FactsRef& facts) {
    constexpr std::size_t links = 2 * sizeof(void*);
    return sizeof(Entry) + links + block + key.bytes.size() + 1 + block + heap_of(facts);
}

const FactsRef* FactsShelf::find(const Key& key) {
    const auto found = table_.find(key);
    if (found == table_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, *found);
    return &(*found)->facts;
}

void FactsShelf::insert(const Key& key, FactsRef facts) {
    const std::size_t memory = memory_of(key, facts);
    entries_.push_front({std::string(key.bytes), key.how, key.hash, std::move(facts), memory});
    table_.insert(entries_.begin());
    entries_memory_ += memory;
}

void FactsShelf::drop() {
    const auto last = std::prev(entries_.end());
    table_.erase(last);
    entries_memory_ -= last->memory;
    entries_.erase(last);
    // The table keeps its size otherwise, and would fill a limit that was lowered.
    if (entries_.empty()) {
        table_ = {};
    } else if (table_.bucket_count() > sparse * entries_.size()) {
        table_.rehash(0);
    }
}

}  // namespace pgsluice::sql
