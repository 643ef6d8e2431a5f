#include <pgsluice/config/schemaless_names.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsluice::config::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(SchemalessNames, are_of_tables_and_functions_that_the_search_path_would_have_to_find) {
    for (const char* sql :
         {"SELECT * FROM lookup($1)", "select u, p from lookup where u = $1", "SELECT usename, passwd FROM LookUp($1)",
          "select a.u from pg_shadow a join lookup b on a.u = b.u", "select 1 from pg_shadow a, lookup b",
          "select * from (select * from \"lookup\") x", "select 1 from (lookup a join pg_shadow b on true)",
          "select * from only lookup", "select (lookup($1)).*", "select $1, lookup($1)",
          "select * from pg_user, lateral lookup($1)", "select * from rows from (lookup($1))",
          "select 1 /* from a */ -- from b\n from lookup", "select 'from a', E'\\'from a' from lookup",
          "with a as (select * from lookup) select * from a", "select 1 union select 2 from lookup",
          "select extract(epoch from x) from lookup"}) {
        EXPECT_THAT(schemaless_names(sql), ElementsAre("lookup")) << sql;
    }
    EXPECT_THAT(schemaless_names("select * from b, a, \"B\"\"x\", a"), ElementsAre("b", "a", "B\"x"));
}

TEST(SchemalessNames, are_none_where_a_schema_is_written_or_the_catalog_has_them) {
    for (const char* sql :
         {"", "select $1", "SELECT * FROM public.lookup($1)", "select * from \"s\" . \"lookup\"($1)",
          "SELECT usename, passwd FROM pg_shadow WHERE usename=$1",
          "SELECT rolname, CASE WHEN rolvaliduntil < now() THEN NULL ELSE rolpassword END FROM pg_authid WHERE "
          "rolname=$1 AND rolcanlogin",
          "SELECT rolname::text, rolpassword, extract(epoch FROM rolvaliduntil)::double precision FROM "
          "pg_catalog.pg_authid",
          "with recursive a (x) as (select 1), b as (select 2) select * from a join b on true",
          "select 1 where 1 is distinct from x", "select lower($1), coalesce($1, 'a')",
          "select * from unnest(array[$1])", "select * from json_each($1) order by a, b",
          "select * from pg_shadow where usename in ($1) group by a, b",
          "select trim(both from $1), substring($1 from 2)", "select timestamp with time zone 'now', a"}) {
        EXPECT_THAT(schemaless_names(sql), IsEmpty()) << sql;
    }
}

TEST(SchemalessNames, of_a_text_that_is_no_statement_end_with_it) {
    for (const char* sql : {"'", "\"", "/*", "/* /* */", "$", "((((", "))))", "from", "select * from", "E'\\", "--"})
        EXPECT_THAT(schemaless_names(sql), IsEmpty()) << sql;
}

TEST(SchemalessNames, come_with_the_advice_to_name_the_schema) {
    EXPECT_THAT(schemaless_advice("select * from lookup($1)"), HasSubstr("public.lookup"));
    EXPECT_THAT(schemaless_advice("select * from s.lookup($1)"), IsEmpty());
}

}  // namespace
}  // namespace pgsluice::config::test
