#include "facts_shelf.hpp"
#include "pattern_key.hpp"
#include "sightings.hpp"
#include "stencil_shelf.hpp"

#include <pgsluice/base/siphash.hpp>
#include <pgsluice/sql/facts_cache.hpp>

#include <algorithm>
#include <utility>

namespace pgsluice::sql {
namespace {

constexpr std::size_t share_of_sightings = 128;  // one part in so many of the memory
constexpr std::size_t most_reasons = 16;         // why texts have no facts
constexpr std::size_t memory_per_reason = 64 << 10;
constexpr std::size_t share_of_one = 8;  // what is larger than that would cost too many others their place

}  // namespace

// A text is looked for where the one before was found, among the exact texts or the stencils, for clients send many of
// one kind in turn; then in the other; then by its pattern.
//
// What comes in endless variety must not push out what comes again. So an exact text is kept at its second sight, when
// its pattern has answered once; so is a pattern that has values inside. A pattern without is kept at once, for a parse
// would be the price of its second sight; so is a text that does not parse. Exact texts and patterns have half of the
// memory each, and may use what the other leaves.
struct FactsCache::Store {
    Store(Seed seed, Read how_to_read) : key{seed.a, seed.b}, read(how_to_read) {}

    const SipKey key;
    const Read read;
    Limits limits{};
    Counts counts{};
    FactsShelf exact, patterns;
    StencilShelf stencils;
    bool stencils_first = false;  // the text before was found there
    Sightings sightings;
    PatternKey pattern;
    // Why texts could not be parsed, by what they hash to, each in the place of one before.
    struct Reason {
        std::uint64_t hash = 0;
        Reading how;
        std::string why;
    };
    std::vector<Reason> reasons;
    FactsRef answer;  // to what is not, or may not be, on a shelf

    std::size_t memory() const {
        return exact.memory() + patterns.memory() + stencils.memory() + sightings.memory() + pattern.memory() +
               reasons.capacity() * sizeof(Reason);
    }

    void drop_one() {
        const bool is_exact = patterns.empty() || (!exact.empty() && exact.memory() > limits.memory / 2);
        (is_exact ? exact : patterns).drop();
        ++counts.evictions;
    }

    void fit() {
        while (memory() > limits.memory && !(exact.empty() && patterns.empty())) drop_one();
    }

    void keep(FactsShelf& shelf, const FactsShelf::Key& under) {
        if (FactsShelf::memory_of(under, answer) > limits.memory / share_of_one) return;
        shelf.insert(under, answer);
        fit();
    }

    void note_reason(const FactsShelf::Key& text, std::string why) {
        if (!reasons.empty()) reasons[text.hash % reasons.size()] = {text.hash, text.how, std::move(why)};
    }

    const std::string* find_reason(const FactsShelf::Key& text) const {
        if (reasons.empty()) return nullptr;
        const Reason& found = reasons[text.hash % reasons.size()];
        return found.hash == text.hash && found.how == text.how ? &found.why : nullptr;
    }

    void parse(const FactsShelf::Key& text) {
        ++counts.parses;
        auto result = read(text.bytes, text.how);
        Facts* facts = std::get_if<Facts>(&result);
        answer = facts == nullptr ? nullptr : std::make_shared<const Facts>(std::move(*facts));
        if (facts == nullptr) note_reason(text, std::move(std::get<Unparsable>(result).why));
    }

    const FactsRef* find_by_stencil(ByteView text, Reading how) {
        const FactsRef* found = stencils.find(text, how);
        if (found == nullptr) return nullptr;
        ++counts.pattern_hits;
        stencils_first = true;
        return found;
    }

    const FactsRef& find_or_parse(ByteView text, Reading how) {
        if (stencils_first) {
            if (const FactsRef* found = find_by_stencil(text, how)) return *found;
        }
        const FactsShelf::Key as_it_is{text, how, siphash(key, text)};
        if (const FactsRef* found = exact.find(as_it_is)) {
            ++counts.exact_hits;
            stencils_first = false;
            return *found;
        }
        if (!stencils_first) {
            if (const FactsRef* found = find_by_stencil(text, how)) return *found;
        }
        if (!pattern.build(text, how)) {
            parse(as_it_is);
            keep(exact, as_it_is);
            return answer;
        }
        fit();  // the key may have grown
        const bool is_again = sightings.is_known(as_it_is.hash);
        const FactsShelf::Key as_pattern{pattern.bytes(), how, siphash(key, pattern.bytes())};
        if (const FactsRef* found = patterns.find(as_pattern)) {
            ++counts.pattern_hits;
            answer = *found;
            stencils.learn(text, how, pattern.left_out(), answer);
            if (is_again) keep(exact, as_it_is);
            fit();
            return answer;
        }
        parse(as_it_is);
        if (answer != nullptr && (!pattern.has_values() || sightings.is_known(as_pattern.hash))) {
            keep(patterns, as_pattern);
        }
        if (answer == nullptr || is_again) keep(exact, as_it_is);
        return answer;
    }
};

FactsCache::FactsCache(Seed seed, Limits limits, Read read) : store_(std::make_unique<Store>(seed, read)) {
    set_limits(limits);
}

FactsCache::~FactsCache() = default;

const FactsRef& FactsCache::facts_of(ByteView text, Reading how) {
    Store& store = *store_;
    if (text.size() > store.limits.longest_text) {
        ++store.counts.unparsable;
        store.answer.reset();
        return store.answer;
    }
    const FactsRef& found = store.find_or_parse(text, how);
    if (found == nullptr) ++store.counts.unparsable;
    return found;
}

std::string FactsCache::why_unparsable(ByteView text, Reading how) {
    Store& store = *store_;
    const FactsShelf::Key key{text, how, siphash(store.key, text)};
    if (const std::string* known = store.find_reason(key)) return *known;
    ++store.counts.parses;
    auto result = store.read(text, how);
    auto* unparsable = std::get_if<Unparsable>(&result);
    if (unparsable == nullptr) return {};
    store.note_reason(key, unparsable->why);
    return std::move(unparsable->why);
}

void FactsCache::set_limits(Limits limits) {
    store_->limits = limits;
    store_->stencils.resize(limits.memory);
    store_->sightings.resize(limits.memory / share_of_sightings);
    store_->reasons = std::vector<Store::Reason>(std::min(most_reasons, limits.memory / memory_per_reason));
    store_->pattern.release();
    store_->fit();
}

const FactsCache::Counts& FactsCache::counts() const {
    return store_->counts;
}

std::size_t FactsCache::memory() const {
    return store_->memory();
}

}  // namespace pgsluice::sql
