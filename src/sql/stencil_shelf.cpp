#include "stencil_shelf.hpp"

#include "facts_shelf.hpp"

#include <bit>
#include <functional>
#include <utility>

namespace pgsluice::sql {
namespace {

constexpr std::size_t memory_per_place = 16 << 10;
constexpr std::size_t most_of_one = memory_per_place / 4;
constexpr std::uint8_t patience = 8;

}  // namespace

void StencilShelf::resize(std::size_t memory) {
    places_ = std::vector<Place>(std::bit_floor(memory / memory_per_place));
    missed_ = nullptr;
    heap_bytes_ = 0;
}

// The hash has no key, for nothing is won by choosing texts that collide: they are told apart, and found in another
// way.
const FactsRef* StencilShelf::find(ByteView text, Reading how) {
    missed_ = nullptr;
    if (places_.empty()) return nullptr;
    const std::size_t value = first_value(text);
    if (value == ByteView::npos) return nullptr;
    Place& place = places_[std::hash<ByteView>{}(prefix(text, value)) & (places_.size() - 1)];
    if (place.stencil && place.stencil->fits(text, how)) {
        place.misses = 0;
        return &place.facts;
    }
    missed_ = &place;
    return nullptr;
}

void StencilShelf::learn(ByteView text, Reading how, const std::vector<Token>& left_out, const FactsRef& facts) {
    if (missed_ == nullptr) return;
    Place& place = *std::exchange(missed_, nullptr);
    if (place.stencil && ++place.misses < patience) return;
    std::optional<Stencil> stencil = Stencil::made_of(text, how, left_out);
    if (!stencil) return;
    const std::size_t heap_bytes = stencil->heap_bytes() + FactsShelf::heap_of(facts);
    if (heap_bytes > most_of_one) return;
    heap_bytes_ += heap_bytes - place.heap_bytes;
    place = {std::move(stencil), facts, heap_bytes, 0};
}

}  // namespace pgsluice::sql
