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
          "select pgp_sym_decrypt_bytea(a, 'x'), pgp_pub_decrypt(a, dearmor('k'), 'x') from t",
          "select encrypt(a, 'x', 'aes'), b from t", "select decrypt_iv(a, 'x', 'y', 'aes') from t",
          "select * from t where mac = hmac(a, 'x', 'sha256')"}) {
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

TEST(Passwords, may_stand_in_words_that_are_spelled_with_escapes) {
    for (const char* text :
         {"select E'pass\\x77ord=x'", "select e'\\x50ass\\167ord'", "select E'pas\\sword'", "select E'p\\u0061ssw'",
          "select E'pass\\U00000077ord'", "select E'\\\\' || E'pas\\x73word'",
          "select 'a' || E'postgres:\\x2f/u:x\\100h'", "select E'pas'\n  'sword'", "select 'pas' -- on\n --\r\n'sword'",
          "select U&'pass\\0077ord'", "select u&'pass!0077ord' uescape '!'", "set u&\"a.pas\\0073w\" = 'x'"}) {
        EXPECT_TRUE(may_hold(text)) << text;
    }
    for (const char* text : {"select E'pas\\nsword'", "select E'a\\\\', E'b\\''", "select 'pas' || 'sword'",
                             "select 'pas', -- on\n'sword'", "select E'\\u00e9\\7'", "select 'pas', 'sword'"}) {
        EXPECT_FALSE(may_hold(text)) << text;
    }
}

TEST(Passwords, may_stand_in_strings_whose_backslashes_are_escapes_in_some_sessions_only) {
    const auto read = read_facts("select 'pass\\x77ord=x'", {.standard_conforming_strings = false});
    EXPECT_TRUE(may_hold_password("select 'pass\\x77ord=x'", std::get<Facts>(read)));
    EXPECT_TRUE(may_hold("select 'pass\\x77ord=x'")) << "who looks at it does not know of which session it is";
}

TEST(Passwords, may_stand_in_what_roles_databases_and_functions_are_set_to) {
    for (const char* text : {"alter database d set app.pw = 'x'", "alter role r set app.pw = 'x'",
                             "alter role r in database d set app.pw to 'x'", "alter role all set app.pw = 'x'",
                             "alter user u set app.pw = 'x'", "select 1; alter database d set app.pw = 'x'",
                             "alter function f() set app.pw = 'x'", "alter procedure p set app.pw = 'x'",
                             "alter routine r set app.pw = 'x'"}) {
        EXPECT_TRUE(may_hold(text)) << text;
    }
}

TEST(Passwords, may_stand_in_a_uri_wherever_that_stands) {
    for (const char* text :
         {"execute p('postgres://u:x@h')", "select 'postgresql://u:x@h:5432/d?sslmode=require'",
          "insert into t values ('see http://h/', 'amqp://u:x@[::1]:5672/v')", "select 1 /* https://u:x@h */",
          "select 'postgres://:x@h'", "select 'redis://u:a@b@h/0'"}) {
        EXPECT_TRUE(may_hold(text)) << text;
    }
    for (const char* text : {"select 'https://example.org/a:b@c'", "select 'postgres://u@h/d'", "select '://'",
                             "select 'http://h:80/', 'me@example.org'"}) {
        EXPECT_FALSE(may_hold(text)) << text;
    }
}

TEST(Passwords, stand_in_no_normalized_text) {
    for (const char* text :
         {"alter database d set app.pw = 's3cret'",
          "alter role r set app.pw = 's3cret'",
          "alter role r in database d set app.pw to s3cret",
          "alter role all set app.pw = 's3cret', 's3cret'",
          "alter database d set app.pw = s3cret",
          "select 1; ALTER USER u SET app.pw TO s3cret, \"s3cret\"; select 1",
          "alter system set primary_conninfo = s3cret",
          "set app.pw = s3cret",
          "set local app.pw to \"s3cret\"",
          "set session app.pw to s3cret, s3cret",
          "set \"app.pw\" = s3cret",
          "set u&\"app\\002epw\" to s3cret",
          "alter user u set x.y to a; set x.password = s3cret",
          "alter function f() set app.pw to s3cret",
          "alter procedure p set a.b from current set app.pw to s3cret",
          "alter routine r immutable set a = b, s3cret",
          "create or replace function f() returns int set a to b set app.pw = s3cret language sql as 'select 1'",
          "create procedure p() set app.pw to s3cret begin atomic select 1; end",
          "execute p('postgres://u:s3cret@h')",
          "execute p(1, 'password=s3cret')",
          "prepare p as select 'postgres://u:s3cret@h'"}) {
        const auto read = read_facts(text, {});
        ASSERT_TRUE(std::holds_alternative<Facts>(read)) << text;
        EXPECT_EQ(std::get<Facts>(read).normalized.find("s3cret"), std::string::npos)
            << std::get<Facts>(read).normalized;
    }
}

TEST(Passwords, leave_the_rest_of_a_normalized_text_as_it_is) {
    const auto normalized = [](ByteView text) { return std::get<Facts>(read_facts(text, {})).normalized; };
    EXPECT_EQ(normalized("alter role r in database d set a.b to c, 'd'; select c"),
              "alter role r in database d set a.b to $1, $2; select c");
    EXPECT_EQ(normalized("alter role r set a to default"), "alter role r set a to default");
    EXPECT_EQ(normalized("alter role r set a to -5"), "alter role r set a to -$1");
    EXPECT_EQ(normalized("alter database d set tablespace t"), "alter database d set tablespace t");
    EXPECT_EQ(normalized("alter role r rename to s"), "alter role r rename to s");
    EXPECT_EQ(normalized("set a to b"), "set a to b");
    EXPECT_EQ(normalized("set role r; set a.b to default; set a.b = -5, +6; set a from current; select a.b = c"),
              "set role r; set a.b to default; set a.b = -$1, +$2; set a from current; select a.b = c");
    EXPECT_EQ(normalized("create function f(a int = 5) returns t set a.b to c, d immutable set e to -1 return b = c"),
              "create function f(a int = $1) returns t set a.b to $2, $3 immutable set e to -$4 return b = c");
    EXPECT_EQ(normalized("create procedure p() begin atomic update t set a = b; update t set c = d; end"),
              "create procedure p() begin atomic update t set a = b; update t set c = d; end");
    EXPECT_EQ(normalized("alter function f rename to g; alter function f owner to r"),
              "alter function f rename to g; alter function f owner to r");
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
