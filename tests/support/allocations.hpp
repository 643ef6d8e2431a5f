// Counts what the whole binary allocates. It replaces the global operators, so one source file of a binary includes it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace pgsluice::test {

inline std::atomic<std::size_t>& counted_allocations() {
    static std::atomic<std::size_t> count{0};
    return count;
}

// So far, by all threads.
inline std::size_t allocations() {
    return counted_allocations().load(std::memory_order_relaxed);
}

inline void* count_and_allocate(std::size_t size) {
    counted_allocations().fetch_add(1, std::memory_order_relaxed);
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}

}  // namespace pgsluice::test

// NOLINTBEGIN(misc-definitions-in-headers): see above
void* operator new(std::size_t size) {
    return pgsluice::test::count_and_allocate(size);
}
void* operator new[](std::size_t size) {
    return pgsluice::test::count_and_allocate(size);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}
// NOLINTEND(misc-definitions-in-headers)
