#include <pgsluice/sql/deallocated_name.hpp>

#include <gtest/gtest.h>

#include <string>

namespace pgsluice::sql {
namespace {

std::string name_in(const std::string& text) {
    return deallocated_name(text).value_or("-");
}

TEST(DeallocatedName, is_read_as_postgresql_reads_it) {
    EXPECT_EQ(name_in("DEALLOCATE a1"), "a1");
    EXPECT_EQ(name_in("deallocate _PG3_0"), "_pg3_0");
    EXPECT_EQ(name_in(" \n Deallocate\tPrepare\r\n stmt$1 ; "), "stmt$1");
    EXPECT_EQ(name_in("deallocate \"S_1\";"), "S_1");
    EXPECT_EQ(name_in("deallocate\"a\"\"b c\""), "a\"b c");
    EXPECT_EQ(name_in("deallocate prepare \"Prepare\""), "Prepare");
    EXPECT_EQ(name_in("deallocate prepare"), "prepare");
    EXPECT_EQ(name_in("deallocate prepared"), "prepared");
    EXPECT_EQ(name_in("deallocate prepare prepare"), "prepare");
    EXPECT_EQ(name_in("deallocate caf\xC3\xA9"), "caf\xC3\xA9");
    EXPECT_EQ(name_in("deallocate \"all\""), "all");
    EXPECT_EQ(name_in("deallocate " + std::string(63, 'x')), std::string(63, 'x'));
}

TEST(DeallocatedName, is_not_in_other_texts) {
    for (const char* text :
         {"", "deallocate", "deallocate all", "DEALLOCATE PREPARE ALL", "deallocate;", "deallocatea", "deallocate 1a",
          "deallocate a b", "deallocate a; deallocate b", "deallocate a\"b\"", "deallocate prepare a\"b\"",
          "deallocate a.b", "deallocate \"a", "deallocate \"\"", "deallocate /* c */ a", "deallocate u&\"a\"",
          "prepare a as select 1", "select 'deallocate a'", "; deallocate a"}) {
        EXPECT_EQ(name_in(text), "-") << text;
    }
    EXPECT_EQ(name_in("deallocate " + std::string(64, 'x')), "-");
}

}  // namespace
}  // namespace pgsluice::sql
