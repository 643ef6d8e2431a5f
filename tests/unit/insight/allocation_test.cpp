// What a call of a known query costs.
#include "support/allocations.hpp"

#include <pgsluice/insight/query_table.hpp>

#include <gtest/gtest.h>

#include <string>

namespace pgsluice::insight {

namespace {

TEST(QueryTable, a_call_of_a_known_query_allocates_nothing) {
    QueryTable table({3, 5}, 100);
    const std::string route(100, 'r'), user(63, 'u'), trace(32, 'a'), text(10'000, 'x');
    for (std::uint64_t each = 0; each < 100; ++each) table.record({each, route, user}, {}, text);
    const Call call{.server_time = Microseconds(1234), .wait = Microseconds(5), .rows = 1, .trace_id = trace};
    const std::size_t before = test::allocations();
    for (std::uint64_t each = 0; each < 100; ++each) table.record({each, route, user}, call, text);
    EXPECT_EQ(test::allocations(), before);
}

}  // namespace
}  // namespace pgsluice::insight
