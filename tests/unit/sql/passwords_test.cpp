#include <pgsluice/sql/passwords.hpp>

#include <gtest/gtest.h>

namespace pgsluice::sql {
namespace {

bool may_hold(ByteView text) {
    const auto read = read_facts(text, {});
    const auto* facts = std::get_if<Facts>(&read);
    EXPECT_NE(facts, nullptr) << text;
    return facts != nullptr && may_hold_password(text, *facts);
}

TEST(Passwords, may_stand_in_what_postgresql_takes_them_by) {
    for (const char* text :
         {"create role a password 'x'", "create user a with encrypted password 'x'", "alter role a password null",
          "alter user a valid until 'x'", "create group a", "create user mapping for a server s options (user 'x')",
          "alter user mapping for a server s options (set \"pass\" 'x')",
          "create server s foreign data wrapper f options (host 'x')", "alter server s options (add a 'x')",
          "create foreign data wrapper f options (a 'x')", "create foreign table t () server s options (a 'x')",
          "create subscription s connection 'postgresql://u:x@h/d' publication p",
          "alter subscription s connection 'x'", "alter system set primary_conninfo = 'x'", "copy t from program 'x'",
          "copy t to '/x'"}) {
        EXPECT_TRUE(may_hold(text)) << text;
    }
}

TEST(Passwords, may_stand_in_bodies_and_in_connection_strings) {
    for (const char* text :
         {"do $$ begin perform 'x'; end $$", "create function f() returns int language sql as 'select 1'",
          "create or replace procedure p() language sql as 'select 1'", "select dblink('x', 'y')",
          "select * from public.dblink_exec(E'\\x70', 'y')", "select DBLINK_CONNECT('x')",
          "select public.crypt('x', gen_salt('bf'))", "update t set a = pgp_sym_encrypt(b, 'x')",
          "select pgp_sym_decrypt_bytea(a, 'x'), pgp_pub_decrypt(a, dearmor('k'), 'x') from t"}) {
        EXPECT_TRUE(may_hold(text)) << text;
    }
}

TEST(Passwords, may_stand_wherever_the_word_does) {
    for (const char* text :
         {"select 'PassWord=x'", "update t set passwd = 'x'", "select 1 /* password: x */",
          "comment on table t is 'passwords'", "select 1; alter role a password 'x'", "explain select 'password'"}) {
        EXPECT_TRUE(may_hold(text)) << text;
    }
}

TEST(Passwords, stand_in_nothing_else) {
    for (const char* text : {"select 'x'", "insert into t values ('pass', 'word')", "set search_path = 'x'",
                             "create table t (a int default 5)", "select count(*) from users where name = 'pas'",
                             "begin", "drop role a", "select dbl('x')"}) {
        EXPECT_FALSE(may_hold(text)) << text;
    }
}

}  // namespace
}  // namespace pgsluice::sql
