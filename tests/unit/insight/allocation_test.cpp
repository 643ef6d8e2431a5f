// What a call of a known query costs. The operators stand in this file alone: they count for the whole binary.
#include <pgsluice/insight/query_table.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <string>

namespace pgsluice::insight {

static std::size_t allocations = 0;

namespace {

TEST(QueryTable, a_call_of_a_known_query_allocates_nothing) {
    QueryTable table({3, 5}, 100);
    const std::string route(100, 'r'), user(63, 'u'), trace(32, 'a'), text(10'000, 'x');
    for (std::uint64_t each = 0; each < 100; ++each) table.record({each, route, user}, {}, text);
    const Call call{.server_time = Microseconds(1234), .wait = Microseconds(5), .rows = 1, .trace_id = trace};
    const std::size_t before = allocations;
    for (std::uint64_t each = 0; each < 100; ++each) table.record({each, route, user}, call, text);
    EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace pgsluice::insight

void* operator new(std::size_t size) {
    ++pgsluice::insight::allocations;
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
