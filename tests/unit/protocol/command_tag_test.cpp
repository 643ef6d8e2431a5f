#include <pgsluice/protocol/command_tag.hpp>

#include <gtest/gtest.h>

namespace pgsluice::protocol {
namespace {

TEST(CommandTag, tells_of_changes_to_what_names_lead_to) {
    for (const char* tag :
         {"ALTER TABLE", "CREATE SCHEMA", "DROP OWNED", "GRANT", "REVOKE", "GRANT ROLE", "REVOKE ROLE"}) {
        EXPECT_EQ(aftermath_of(tag), Aftermath::schema_changed) << tag;
    }
    for (const char* tag : {"", "SELECT 1", "ROLLBACK", "RELEASE", "RESET", "REINDEX", "ANALYZE", "COPY 1", "DELETE 1",
                            "DO", "DISCARD TEMP", "DEALLOCATE"}) {
        EXPECT_EQ(aftermath_of(tag), Aftermath::none) << tag;
    }
}

TEST(CommandTag, tells_that_every_statement_is_gone) {
    for (const char* tag : {"DEALLOCATE ALL", "DISCARD ALL"}) EXPECT_EQ(aftermath_of(tag), Aftermath::deallocated);
}

TEST(CommandTag, ends_with_the_rows) {
    EXPECT_EQ(rows_of(ByteView("INSERT 0 12\0", 12)), 12U);
    EXPECT_EQ(rows_of(ByteView("BEGIN\0", 6)), 0U);
}

}  // namespace
}  // namespace pgsluice::protocol
