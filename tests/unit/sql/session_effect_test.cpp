// What statements do to their session, by PostgreSQL's own parser; and the byte test before it, which may not miss any.
#include <pgsluice/sql/session_effect.hpp>

#include <candidate.hpp>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pgsluice::sql {
namespace {

using enum SessionEffect;

struct Case {
    const char* text;
    SessionEffect effect;
};

TEST(SessionEffect, of_each_kind_of_statement) {
    const std::vector<Case> cases{
        {"select 1", none},
        {"", none},
        {"update t set a = 1", none},
        {"SET work_mem = '7MB'", changes},
        {"  /* a /* nested */ comment */ -- and another\n sEt SESSION work_mem TO 7", changes},
        {"set time zone 'Asia/Tokyo'", changes},
        {"set role ann", changes},
        {"set session authorization ann", changes},
        {"set session characteristics as transaction read only", changes},
        {"set local work_mem = '7MB'", local},
        {"set local statement_timeout = 5", none},
        {"set local role ann", local},
        {"set local session authorization ann", local},
        {"select set_config('role', $1, true)", local},
        {"set local app.tenant = 'acme'", names},
        {"set transaction isolation level serializable", none},
        {"reset all", changes},
        {"discard all", changes},
        {"select set_config('a.b', 'x', false)", changes},
        {"select Pg_Catalog.Set_Config($1, $2, $3)", changes},
        {"select set_config($1, $2, true)", local},
        {"select set_config('search_path', $1, true)", local},
        {"select set_config('app.tenant', $1, true)", names},
        {"select set_config('app.tenant', 'a' || $1, true)", names},
        {"select set_config('search_path', 'pg_' || 'temp', true)", changes},
        {"select set_config('SEARCH_PATH'::text, 'pg_' || 'temp', true)", changes},
        {"select set_config('search_path', 'PG_Temp'::text, true)", changes},
        {"select set_config('search_' || 'path', 'pg_temp_', true)", changes},
        {"select set_config('search_' || 'path', $1, true)", changes},
        {"select set_config($1, 'pg_' || $2, true)", changes},
        {"select set_config($1::text, $2::varchar, true)", local},
        {"select set_config('search_path', 'own', true)", local},
        {"select set_config('a', 'x', true), set_config('b', 'y', false)", changes},
        {"select U&\"s\\0065t_config\"('a.b', 'x', false)", changes},
        {"begin; set work_mem = 7; commit", changes},
        {"select 1;set work_mem = 7", changes},
        {"select ';set '", none},
        {"execute pgsluice_set('role', 'ann')", anything},
        {"explain analyze execute \"pgsluice_set\"('role', 'ann')", anything},
        {"select 1; create table t as execute Pgsluice_set('role', 'ann')", anything},
        {"execute U&\"pgsluice\\005fset\"('role', 'ann')", anything},
        {"prepare U&\"pgsluic\\0065_inspect\" as select 1", anything},
        {"deallocate pgsluice_inspect", anything},
        {"execute mine('role', 'pgsluice_set')", none},
        {"create table pgsluice_set (a int)", none},
        {"listen news", leaves},
        {"unlisten *", ends},
        {"notify news", none},
        {"prepare p as select 1", leaves},
        {"deallocate p", ends},
        {"execute p", none},
        {"declare c cursor for select 1", none},
        {"declare c cursor with hold for select 1", leaves},
        {"close c", ends},
        {"create temp table t (a int)", leaves},
        {"create temporary view v as select 1", leaves},
        {"select 1 into temp t", leaves},
        {"create table pg_temp.t (a int)", leaves},
        {"create table t (a int)", none},
        {"create type pg_temp.mood as enum ('glad')", leaves},
        {"create function pg_temp.f() returns int language sql as 'select 1'", leaves},
        {"create domain PG_TEMP.d as int", leaves},
        {"create collation \"pg_temp\".c (locale = 'C')", leaves},
        {"create view v as select * from pg_temp_3.t", leaves},
        {"select * into pg_temp.t from own", leaves},
        {"create table pg_temp.t as select 1", leaves},
        {"explain analyze create table pg_temp.t as select 1", leaves},
        {"create extension hstore schema pg_temp", leaves},
        {"import foreign schema own from server far into pg_temp", leaves},
        {"import foreign schema pg_temp from server far into own", none},
        {"create table pg_temp.t (a int) on commit drop", local},
        {"insert into pg_temp.t select * from \"pg_temp_12\".u", changes},
        {"drop table if exists pg_temp.t", changes},
        {"drop function pg_temp.f()", changes},
        {"select pg_temp.f()", changes},
        {"copy pg_temp.t from stdin", changes},
        {"alter table pg_temp.t add b int; create index on pg_temp.t (b); analyze pg_temp.t", changes},
        {"create trigger g before insert on pg_temp.t execute function f()", changes},
        {"alter sequence pg_temp.s restart", changes},
        {"create statistics pg_temp.s on a, b from t", leaves},
        {"select pg_temperature from pg_temporary.t", none},
        {"set search_path = pg_temp, own", changes},
        {"set local search_path = own, \"pg_temp\"", changes},
        {"begin; set local search_path to pg_temp_3; create table t (a int); commit", changes},
        {"select set_config('search_path', 'pg_temp', true)", changes},
        {"select 'pg_temp'", none},
        {"update pg_settings set setting = '7MB' where name = 'work_mem'", changes},
        {"update pg_catalog.\"pg_settings\" set setting = '7MB'", changes},
        {"with t as (update Pg_Settings set setting = '7MB' returning 1) select 1", changes},
        {"select setting from pg_settings", none},
        {"create temp table t (a int) on commit drop", local},
        {"create temp table t on commit drop as select 1", local},
        {"create temp table t on commit drop as select set_config('a', 'x', false)", changes},
        {"drop table t", ends},
        {"drop owned by app", ends},
        {"rollback to savepoint s", local},
        {"rollback", none},
        {"select pg_advisory_lock(1)", locks},
        {"select pg_try_advisory_lock_shared(1)", locks},
        {"select pg_advisory_xact_lock(1)", none},
        {"select pg_advisory_unlock_all()", ends},
        {"do $$ begin end $$", anything},
        {"call p()", anything},
        {"load 'auto_explain'", loads},
        {"select dblink_connect('c', 'dbname=x')", loads},
        {"SELECT public.DBLink_Connect_U('dbname=x')", loads},
        {"select dblink_open('c', 'select 1')", loads},
        {"select U&\"dblink_conn\\0065ct\"('dbname=x')", loads},
        {"select g.dblink_connect from concat('dbname=', $1) g", loads},
        {"select ('dbname=x'::text).dblink_connect", loads},
        {"select pg_backup_start('b')", loads},
        {"select pg_start_backup($1, true, false)", loads},
        {"select pg_replication_origin_session_setup('o')", loads},
        {"select pg_create_physical_replication_slot('s', true, true)", loads},
        {"select pg_create_physical_replication_slot('s', $1, $2)", loads},
        {"select pg_create_logical_replication_slot('s', 'p', temporary => true)", loads},
        {"select pg_create_logical_replication_slot(temporary := 'f', plugin := 'p', slot_name := 's')", loads},
        {"select pg_copy_physical_replication_slot('s', 't', true)", loads},
        {"select pg_copy_physical_replication_slot('s', 't')", loads},
        {"select pg_copy_logical_replication_slot('s', 't', false, 'p')", none},
        {"select pg_create_physical_replication_slot('s')", none},
        {"select pg_create_physical_replication_slot('s', true, false)", none},
        {"select pg_create_logical_replication_slot('s', 'p', twophase => true)", none},
        {"select pg_create_logical_replication_slot('s', 'p', temporary => false, twophase => true)", none},
        {"select 'dblink_connect'", none},
        {"select dblink_open from t", none},
        {"select dblink('c', 'select 1'), dblink_disconnect('c'), pg_backup_stop()", none},
        {"grant execute on function pg_backup_start(text, boolean) to app", none},
        {"set what is this", anything},
        {"select temperature from template", none},
    };
    for (const Case& each : cases) {
        EXPECT_EQ(session_effect(each.text), each.effect) << each.text;
        EXPECT_EQ(session_effect(each.text), each.effect) << "the second time: " << each.text;
    }
}

TEST(SessionEffect, of_a_text_too_long_to_parse_is_anything_where_it_is_a_candidate) {
    const std::string filler(5000, ' ');
    EXPECT_EQ(session_effect("select 1" + filler), none);
    EXPECT_EQ(session_effect("set local work_mem = 1" + filler), anything);
}

// Of what is called outside of strings and comments.
TEST(SessionEffect, of_a_text_too_long_to_parse_is_that_of_a_call_that_nothing_undoes) {
    const std::string filler = " /*" + std::string(5000, ' ') + "*/";
    for (const char* text :
         {"select dblink_connect('x')", "select \"dblink_open\"('x')", "SELECT PG_BACKUP_START('x')",
          "select pg_create_physical_replication_slot('x', true, true)", "select U&\"dblink_conn\\0065ct\"('x')",
          "select '\\', dblink_connect('x') --'", "select 1x, dblink_connect('x')"}) {
        EXPECT_EQ(session_effect(text + filler), loads) << text;
    }
    for (const char* text : {"select 'dblink_connect'", "select 1 -- dblink_connect", "select $$ pg_backup_start $$",
                             "select 'menu&\"', u&1", "select dblink_connected"}) {
        EXPECT_NE(session_effect(text + filler), loads) << text;
    }
}

TEST(SessionEffect, of_a_text_that_is_not_understood_is_that_of_a_call_that_nothing_undoes) {
    EXPECT_EQ(session_effect("select dblink_connect('x') and what is this"), loads);
    EXPECT_EQ(session_effect("select 'dblink_connect' and what is this"), anything);
}

TEST(SessionEffect, is_found_however_deep_the_text_nests) {
    std::string deep = "select ";
    for (int i = 0; i < 1000; ++i) deep += "1+";
    EXPECT_EQ(session_effect(deep + "length(set_config('a.b', 'x', false))"), changes);
    EXPECT_EQ(session_effect(std::string("set x = ") + std::string(4000, '(')), anything);
}

TEST(SessionEffect, is_decisive_where_a_setting_may_change_what_a_text_means) {
    for (const char* name : {"search_path", "DateStyle", "timezone", "standard_conforming_strings", "work_mem", "log",
                             "plan_cache_mode", "client_encoding", "role", "Session_Authorization"}) {
        EXPECT_TRUE(is_decisive(name)) << name;
    }
    for (const char* name :
         {"application_name", "Statement_Timeout", "log_statement", "app.tenant", "client_min_messages"}) {
        EXPECT_FALSE(is_decisive(name)) << name;
    }
}

TEST(SessionEffect, is_known_of_one_plain_set) {
    for (const char* text : {"set a = 1", "SET LOCAL a = 1;", "set a to 'b' ; \n", "set names 'latin1'"}) {
        EXPECT_TRUE(is_plain_set(text)) << text;
    }
    for (const char* text :
         {"", ";", "set", "set a = 1; set b = 2", "set a = ';'", "reset a", "select 1", "setting x"}) {
        EXPECT_FALSE(is_plain_set(text)) << text;
    }
}

// The words are looked for in blocks, and several at once: at every place of one, and over all borders.
TEST(Candidate, is_found_at_every_place_of_a_text) {
    for (const char* word : {"set_config", "Pg_Advisory_Lock", ";reset", "; set", "u&\"", " TEMP ", "into temporary",
                             "pg_temp.", "PG_Settings", "DBLINK_connect", "dblink_open", "pg_backup_start",
                             "PG_Start_Backup", "pg_replication_origin_session_setup",
                             "pg_create_logical_replication_slot", "pg_copy_physical_replication_slot"}) {
        for (std::size_t before = 0; before < 280; ++before) {
            for (const std::size_t behind : {0, 1, 15, 16, 17}) {
                const std::string text = "x" + std::string(before, ' ') + word + " " + std::string(behind, '.');
                EXPECT_TRUE(is_candidate(text)) << text;
            }
        }
    }
    EXPECT_TRUE(is_candidate(";;;set x"));
    EXPECT_TRUE(is_candidate("select 1;set x ; \n;"));
    for (const char* nothing : {"", ";", ";;;", " ; \n;", "select 1; \v", "-- set x;\n;"}) {
        EXPECT_FALSE(is_candidate(nothing)) << nothing;
    }
    EXPECT_FALSE(
        is_candidate("select a_b, d_v, e_m, t_c, g_s from pgbench_accounts where aid = 1; select 'remove them'"));
    EXPECT_FALSE(
        is_candidate("select db, d_b, feedback, pg_class, pg_catalog, pg_stat, pg_backend_pid, dblink_exec, pg_"));
}

TEST(Candidate, does_not_depend_on_what_lies_behind_the_text) {
    const std::string texts[] = {"set",  "do",      "x;",       ";set", "v",  "m",   "&",  "_",       "se",
                                 "temp", "pg_temp", "advisory", "u&",   "g_", "pg_", "db", "dblink_", "pg_c"};
    for (const std::string& text : texts) {
        const bool alone = is_candidate(text);
        for (const char* behind : {"set_config", "p ", "_temp ", "connect", "open(", "reate_", "backup_start",
                                   "settings", "tle", ";set x", "&\"", "\0"}) {
            const std::string longer = text + behind;
            EXPECT_EQ(is_candidate(ByteView(longer).substr(0, text.size())), alone) << longer;
        }
    }
}

// Each semicolon in a comment would have the rest of it gone through once more.
TEST(Candidate, is_a_text_whose_comments_would_be_gone_through_without_end) {
    for (const char* part : {";/*", ";--", ";/**/--", "; /*;"}) {
        std::string text = "select 1";
        for (int i = 0; i < 100'000; ++i) text += part;
        EXPECT_TRUE(is_candidate(text)) << part;
        EXPECT_TRUE(may_end_transaction(text)) << part;
        EXPECT_TRUE(may_take_names(text).statements) << part;
        EXPECT_TRUE(may_take_names(text).portals) << part;
    }
    const std::string once = "select 1 /*" + std::string(100'000, ';') + "*/ /* " + std::string(100'000, 'x') + " */";
    EXPECT_FALSE(is_candidate(once));
    EXPECT_FALSE(may_end_transaction(once));
}

TEST(SessionEffectBehindComments, is_seen_where_the_comment_ends) {
    for (const ByteView text : {"--\rset search_path = x", "-- a\r\nset role x", "select 1; --\rset search_path = x",
                                "--\r--\n/* */ set search_path = x"}) {
        EXPECT_NE(session_effect(text), SessionEffect::none) << text;
    }
    EXPECT_EQ(session_effect("-- set search_path = x"), SessionEffect::none);
}

TEST(SessionEffectOfCalls, is_that_of_a_call_however_it_is_written) {
    EXPECT_EQ(session_effect("select (6::bigint).pg_advisory_lock"), SessionEffect::locks);
    EXPECT_EQ(session_effect("select g.pg_try_advisory_lock from abs(5::bigint) g"), SessionEffect::locks);
    EXPECT_EQ(session_effect("select (6::bigint).pg_advisory_xact_lock"), SessionEffect::none);
}

TEST(Candidate, is_not_every_text_with_such_letters) {
    EXPECT_TRUE(is_candidate("CREATE TEMP TABLE t()"));
    EXPECT_FALSE(is_candidate("settle"));
    EXPECT_FALSE(is_candidate("select a_b, movement, 'attempt'"));
    EXPECT_FALSE(is_candidate("/* unfinished set"));
}

TEST(MayEndTransaction, by_any_statement_of_the_text) {
    for (const char* text : {"commit", "COMMIT AND CHAIN", "end", " /* ; */ -- ;\n rollback to s", "abort;",
                             "select 1;;END", "prepare transaction 'x'", "begin; set local a.b = 1; commit work"}) {
        EXPECT_TRUE(may_end_transaction(text)) << text;
    }
    for (const char* text :
         {"", "begin", "select 1", "endless", "select 'commit'", "update t set end_at = 1; -- commit"}) {
        EXPECT_FALSE(may_end_transaction(text)) << text;
    }
}

TEST(TakenNames, are_those_that_a_statement_of_the_text_may_give_to_others) {
    const auto taken = [](ByteView text) {
        const TakenNames names = may_take_names(text);
        return std::string(names.statements ? "s" : "") + (names.portals ? "p" : "");
    };
    EXPECT_EQ(taken("deallocate a"), "s");
    EXPECT_EQ(taken("select 1; /* */ DEALLOCATE a; prepare a as select 2"), "s");
    EXPECT_EQ(taken("close p"), "p");
    EXPECT_EQ(taken("-- x\nclose p; deallocate s"), "sp");
    EXPECT_EQ(taken("do $$ begin end $$"), "sp");
    EXPECT_EQ(taken("discard all"), "sp");
    for (const char* text : {"", "select 'close p'", "double", "closed", "select do", "prepare s as select 1"}) {
        EXPECT_EQ(taken(text), "") << text;
    }
}

}  // namespace
}  // namespace pgsluice::sql
