#include <pgsluice/sql/clock_words.hpp>

#include <gtest/gtest.h>

namespace pgsluice::sql {
namespace {

TEST(ClockWords, are_found_in_constants_however_they_stand_there) {
    for (const char* text :
         {"select 'now'::timestamptz", "select * from t where at >= 'today'", "select date 'Tomorrow'",
          "select ' YESTERDAY '::date", "select 'now()'::timestamp", "select '{2020-01-01,now}'::timestamptz[]",
          "select '[today,tomorrow)'::tsrange", "select 'today 12:00'::timestamp", "select 'today12:00'::timestamp",
          "select 'a', 'b', 'now'", "select $$now$$::date", "select $a$today$a$::date", "select N'now'::date",
          "select \"it's\", 'now'::date", "select 1 /* it's */, 'now'::date", "select '''now'''"}) {
        EXPECT_TRUE(may_read_clock(text)) << text;
    }
}

TEST(ClockWords, outside_of_constants_and_inside_of_other_words_are_none) {
    for (const char* text :
         {"", "select 1", "select now()", "select today from t", "select now(), 'x'", "select 'unknown'",
          "select 'nowhere', 'knows', 'todays'", "select \"now\", 'it''s'", "select $1, now()", "select $1::date, 'a'",
          "select 'x' -- 'now'", "select 'x' /* 'now' */", "select 'no', 'w'", "select 'epoch'::date, 'infinity'"}) {
        EXPECT_FALSE(may_read_clock(text)) << text;
    }
}

TEST(ClockWords, are_supposed_in_what_only_the_server_can_read) {
    for (const char* text :
         {R"(select E'n\x6fw'::date)", R"(select U&'n\006fw'::date)", "select U&'n!006fw' uescape '!'",
          R"(select 'n\157w'::date)", "select 'no'\n'w'::date", "select 'no' -- and\n 'w'::date", "select 'x"}) {
        EXPECT_TRUE(may_read_clock(text)) << text;
    }
}

}  // namespace
}  // namespace pgsluice::sql
