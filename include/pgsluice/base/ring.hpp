// A queue over one array that grows and is kept: unlike std::deque it allocates nothing in steady state.
#pragma once

#include <pgsluice/base/check.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace pgsluice {

template <class T>
class Ring {
  public:
    bool empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }

    // Counted from the front.
    T& operator[](std::size_t index) { return slots_[(head_ + index) & (slots_.size() - 1)]; }
    const T& operator[](std::size_t index) const { return slots_[(head_ + index) & (slots_.size() - 1)]; }
    T& front() { return slots_[head_]; }
    const T& front() const { return slots_[head_]; }

    // A default value at the back, to be filled in where it stands.
    T& add_back() {
        if (size_ == slots_.size()) grow();
        return (*this)[size_++];
    }
    void push_back(T value) { add_back() = std::move(value); }
    void drop_front() {
        PGSLUICE_CHECK(size_ > 0);
        slots_[head_] = T{};
        head_ = (head_ + 1) & (slots_.size() - 1);
        --size_;
    }
    T pop_front() {
        PGSLUICE_CHECK(size_ > 0);
        T value = std::move(slots_[head_]);
        drop_front();
        return value;
    }
    // Asks about each once, from the front, and closes the gaps; returns how many have gone.
    template <class Predicate>
    std::size_t erase_if(Predicate is_unwanted) {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < size_; ++i) {
            if (is_unwanted((*this)[i])) continue;
            if (kept != i) (*this)[kept] = std::move((*this)[i]);
            ++kept;
        }
        const std::size_t erased = size_ - kept;
        while (size_ > kept) (*this)[--size_] = T{};
        return erased;
    }

  private:
    void grow() {
        std::vector<T> wider(slots_.empty() ? 8 : slots_.size() * 2);
        for (std::size_t i = 0; i < size_; ++i) wider[i] = std::move((*this)[i]);
        slots_ = std::move(wider);
        head_ = 0;
    }

    std::vector<T> slots_;  // a power of two of them
    std::size_t head_ = 0;
    std::size_t size_ = 0;
};

}  // namespace pgsluice
