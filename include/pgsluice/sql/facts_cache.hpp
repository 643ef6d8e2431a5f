// Facts by the text that they are about, so that a statement is parsed once however often it comes. Found by the exact
// text, and by the text without its comments, spaces and the values of its constants: "... WHERE id = 17" and
// "... WHERE id = 18" are parsed once. One per worker, not locked.
#pragma once

#include <pgsluice/sql/facts.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

namespace pgsluice::sql {

// nullptr: unparsable.
using FactsRef = std::shared_ptr<const Facts>;

class FactsCache {
  public:
    // Keys the hashes, so that nobody can choose texts that collide: 16 random bytes.
    struct Seed {
        std::uint64_t a = 0, b = 0;
    };
    struct Limits {
        std::size_t memory = 8 << 20;         // bytes of all that is kept; the least recently used goes first, of
                                              // texts and of patterns each
        std::size_t longest_text = 16 << 10;  // bytes; what is longer counts as unparsable
    };
    struct Counts {
        std::uint64_t exact_hits = 0, pattern_hits = 0, parses = 0;  // how answers were found
        std::uint64_t unparsable = 0;                                // answers that were nullptr, however found
        std::uint64_t evictions = 0;
    };
    // read_facts(), or for tests something else.
    using Read = std::variant<Facts, Unparsable> (*)(ByteView text, Reading how);

    FactsCache(Seed seed, Limits limits, Read read = read_facts);
    ~FactsCache();
    FactsCache(const FactsCache&) = delete;
    FactsCache& operator=(const FactsCache&) = delete;

    // Good until the next call; a copy lives as long as it is wanted.
    const FactsRef& facts_of(ByteView text, Reading how);
    // Why that is nullptr, of a text that is not too long: empty where it is not. Is known of those that came last,
    // which are not parsed again for it.
    std::string why_unparsable(ByteView text, Reading how);

    void set_limits(Limits limits);
    const Counts& counts() const;
    // At least what it takes: facts that are kept under two keys count twice.
    std::size_t memory() const;

  private:
    struct Store;
    std::unique_ptr<Store> store_;
};

}  // namespace pgsluice::sql
