#include <pgsluice/protocol/replication_command.hpp>

#include <gtest/gtest.h>

namespace pgsluice::protocol {
namespace {

TEST(ReplicationCommand, is_told_by_its_first_word) {
    for (const char* text :
         {"IDENTIFY_SYSTEM", "identify_system;", " \t\r\n\f\vIdentify_System", "BASE_BACKUP ( LABEL 'x' )",
          "BASE_BACKUP(LABEL 'x')", "START_REPLICATION SLOT \"s\" LOGICAL 0/0", "CREATE_REPLICATION_SLOT s TEMPORARY",
          "DROP_REPLICATION_SLOT s", "ALTER_REPLICATION_SLOT s ( FAILOVER )", "READ_REPLICATION_SLOT s",
          "TIMELINE_HISTORY 1", "UPLOAD_MANIFEST", "IDENTIFY_SYSTEM; select 1", "IDENTIFY_SYSTEM/**/"}) {
        EXPECT_TRUE(is_replication_command(text)) << text;
    }
}

TEST(ReplicationCommand, is_no_sql) {
    for (const char* text :
         {"", "  ", "select 1", "SHOW work_mem", "select 1; IDENTIFY_SYSTEM", "IDENTIFY_SYSTEMS", "IDENTIFY_SYSTEM1",
          "IDENTIFY_SYSTEM$", "IDENTIFY_SYSTEM\xc3\xa9", "identify", "\"IDENTIFY_SYSTEM\"", "/**/ IDENTIFY_SYSTEM",
          "-- \nIDENTIFY_SYSTEM", ";IDENTIFY_SYSTEM"}) {
        EXPECT_FALSE(is_replication_command(text)) << text;
    }
}

}  // namespace
}  // namespace pgsluice::protocol
