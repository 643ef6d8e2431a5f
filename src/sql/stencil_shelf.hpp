// Facts by stencil: the shortest way from a text to the facts of its pattern. As many places as there are, each for the
// texts that begin alike up to their first value. Who holds one gives it up when several in turn have not fitted, so
// that patterns which share a place do not take it from each other at each text.
#pragma once

#include "stencil.hpp"

#include <pgsluice/sql/facts_cache.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace pgsluice::sql {

class StencilShelf {
  public:
    // Forgets all, and takes no more than half of `memory` (bytes) from now on.
    void resize(std::size_t memory);

    // nullptr: no stencil fits. Good until the next call of another function. Allocates nothing.
    const FactsRef* find(ByteView text, Reading how);
    // Of the text that find() has not found last. `facts`: not nullptr.
    void learn(ByteView text, Reading how, const std::vector<Token>& left_out, const FactsRef& facts);

    // Bytes of all that it keeps. Facts that somebody else keeps too are counted in full.
    std::size_t memory() const { return places_.capacity() * sizeof(Place) + heap_bytes_; }

  private:
    struct Place {
        std::optional<Stencil> stencil;
        FactsRef facts;
        std::size_t heap_bytes = 0;
        std::uint8_t misses = 0;
    };

    std::vector<Place> places_;
    Place* missed_ = nullptr;  // where the text belongs that was not found last
    std::size_t heap_bytes_ = 0;
};

}  // namespace pgsluice::sql
