#include <pgsluice/sql/transaction_control.hpp>

#include <gtest/gtest.h>

namespace pgsluice::sql {
namespace {

using enum TransactionControl;

TEST(TransactionControl, is_told_by_the_whole_text) {
    EXPECT_EQ(transaction_control("BEGIN"), begin);
    EXPECT_EQ(transaction_control(" \n begin\t;; "), begin);
    EXPECT_EQ(transaction_control("begin work"), begin);
    EXPECT_EQ(transaction_control("Begin Transaction;"), begin);
    EXPECT_EQ(transaction_control("START TRANSACTION"), start_transaction);
    EXPECT_EQ(transaction_control("commit"), commit);
    EXPECT_EQ(transaction_control("COMMIT WORK;"), commit);
    EXPECT_EQ(transaction_control("end transaction"), commit);
    EXPECT_EQ(transaction_control("rollback"), rollback);
    EXPECT_EQ(transaction_control("ABORT WORK"), rollback);
}

TEST(TransactionControl, of_a_beginning_may_have_modes) {
    for (const char* text :
         {"begin isolation level serializable", "begin transaction isolation level read committed",
          "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "begin work read write, isolation level read uncommitted;",
          "begin isolation level serializable,read only,deferrable", "begin not deferrable read only"}) {
        EXPECT_EQ(transaction_control(text), begin) << text;
    }
    EXPECT_EQ(transaction_control("start transaction read only , isolation level repeatable read"), start_transaction);
}

TEST(TransactionControl, is_none_in_other_texts) {
    for (const char* text : {"",
                             ";",
                             "; begin",
                             "begin; select 1",
                             "begin;commit",
                             "beginning",
                             "begin_",
                             "begin1",
                             "begin transaction work",
                             "begin work transaction",
                             "begin read",
                             "begin , read only",
                             "begin read only,",
                             "begin read only,,read write",
                             "begin isolation level",
                             "begin isolation level snapshot",
                             "begin isolation read only",
                             "begin not",
                             "begin not read only",
                             "begin readonly",
                             "begin \"read\" only",
                             "begin /* x */",
                             "-- x\nbegin",
                             "start",
                             "start work",
                             "start transaction work",
                             "commit and chain",
                             "commit and no chain",
                             "commit prepared 'a'",
                             "end if",
                             "rollback to a",
                             "rollback to savepoint a",
                             "rollback and chain",
                             "rollback prepared 'a'",
                             "abort and chain",
                             "committed",
                             "enda",
                             "prepare transaction 'a'",
                             "savepoint a",
                             "select 'begin'",
                             "\xC2\xA0"
                             "begin"}) {
        EXPECT_EQ(transaction_control(text), none) << text;
    }
}

TEST(FirstWayOut, is_what_ends_a_failed_transaction_or_goes_back_to_a_savepoint_in_front_of_others) {
    EXPECT_EQ(first_way_out("commit; execute a"), "commit");
    EXPECT_EQ(first_way_out(" \nEND work ;execute a"), " \nEND work ");
    EXPECT_EQ(first_way_out("abort;; execute a;"), "abort");
    EXPECT_EQ(first_way_out("rollback and chain; execute a"), "rollback and chain");
    EXPECT_EQ(first_way_out("rollback to savepoint one; execute a; commit"), "rollback to savepoint one");
}

TEST(FirstWayOut, is_none_of_one_statement_or_another_or_one_with_quotes_and_comments) {
    for (const char* text :
         {"", ";", "commit", "commit; ;", "; commit; execute a", "execute a; commit", "begin; execute a",
          "savepoint a; execute a", "committed; execute a", "commit prepared 'a'; execute a",
          "rollback to \"one;\"; execute a", "rollback /* ; */ ; execute a", "-- x\ncommit; execute a"}) {
        EXPECT_EQ(first_way_out(text), "") << text;
    }
}

}  // namespace
}  // namespace pgsluice::sql
