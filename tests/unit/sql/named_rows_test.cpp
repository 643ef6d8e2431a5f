#include <pgsluice/sql/named_rows.hpp>

#include <gtest/gtest.h>

namespace pgsluice::sql {
namespace {

TEST(NamedRows, are_those_of_fetch_and_execute) {
    for (const char* text : {"fetch all from c", " EXECUTE q(1)", "\n\tFetch c"})
        EXPECT_TRUE(finds_rows_by_name(text)) << text;
    for (const char* text : {"select 1", "fetched", "executes", "prepare q as execute p", "/* a */ fetch c", ""}) {
        EXPECT_FALSE(finds_rows_by_name(text)) << text;
    }
}

}  // namespace
}  // namespace pgsluice::sql
