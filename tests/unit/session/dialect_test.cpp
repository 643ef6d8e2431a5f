#include <pgsluice/session/dialect.hpp>

#include <gtest/gtest.h>

namespace pgsluice::session {
namespace {

using protocol::ParameterSet;

const ParameterSet usual({{"client_encoding", "UTF8", true}, {"standard_conforming_strings", "on", true}});

struct DialectOf : testing::Test {
    protocol::StatementCache statements{{1, 2}};
    Dialect one{statements, true}, other{statements, true};

    DialectOf() {
        one.adopt(usual, false);
        other.adopt(usual, false);
    }
};

TEST_F(DialectOf, clients_with_the_same_settings_is_the_same) {
    EXPECT_EQ(one.digest(), other.digest());
    other.adopt(ParameterSet({{"client_encoding", "UTF8", true}, {"DateStyle", "German", true}}), false);
    EXPECT_NE(one.digest(), other.digest());
}

TEST_F(DialectOf, a_client_takes_no_heed_of_what_changes_no_text) {
    ParameterSet named({{"application_name", "worker", true},
                        {"client_encoding", "UTF8", true},
                        {"standard_conforming_strings", "on", true},
                        {"statement_timeout", "5s"}});
    other.adopt(named, false);
    EXPECT_EQ(one.digest(), other.digest());
}

TEST_F(DialectOf, a_client_with_temporary_tables_is_its_own) {
    one.adopt(usual, true);
    other.adopt(usual, true);
    EXPECT_NE(one.digest(), other.digest());
}

TEST_F(DialectOf, a_client_creates_temporary_tables_where_its_path_leads_there_in_any_spelling) {
    EXPECT_FALSE(one.creates_temporary());
    for (const char* path : {"pg_temp", "PG_TEMP, public", "public, \"pg_temp\"", "Pg_Temp_3"}) {
        one.adopt(ParameterSet({{"search_path", path, false}}), false);
        EXPECT_TRUE(one.creates_temporary()) << path;
        one.adopt(usual, false, path);
        EXPECT_TRUE(one.creates_temporary()) << path;
        one.adopt(ParameterSet({{"search_path", "public", false}}), false, path);
        EXPECT_FALSE(one.creates_temporary()) << path;
    }
}

TEST_F(DialectOf, clients_that_took_the_same_steps_is_the_same) {
    for (Dialect* dialect : {&one, &other}) {
        dialect->step("SET DateStyle TO German");
        dialect->note_answered();
    }
    EXPECT_EQ(one.digest_of_parsed(), other.digest_of_parsed());
    Dialect untouched(statements, true);
    untouched.adopt(usual, false);
    EXPECT_NE(one.digest(), untouched.digest());
}

TEST_F(DialectOf, a_client_is_its_own_while_a_step_is_unanswered) {
    one.step("SET DateStyle TO German");
    EXPECT_TRUE(one.is_uncertain());
    EXPECT_TRUE(one.is_out_of_standard());
    EXPECT_NE(one.digest_of_parsed(), one.digest_of_parsed());
    one.note_answered();
    EXPECT_FALSE(one.is_uncertain());
    EXPECT_TRUE(one.has_stepped());
    EXPECT_EQ(one.digest_of_parsed(), one.digest());
}

TEST_F(DialectOf, a_client_is_its_own_behind_a_text_that_does_not_tell_what_it_sets) {
    for (const char* text : {"SELECT set_config('a', 'b', false)", "SET a TO 1; SET b TO 2", "CALL p()"}) {
        one.adopt(usual, false);
        other.adopt(usual, false);
        one.step(text);
        other.step(text);
        EXPECT_NE(one.digest(), other.digest()) << text;
    }
    // The second step begins where the first may have failed.
    one.adopt(usual, false);
    other.adopt(usual, false);
    for (Dialect* dialect : {&one, &other}) {
        dialect->step("SET DateStyle TO German");
        dialect->step("SET TimeZone TO UTC");
    }
    EXPECT_NE(one.digest(), other.digest());
}

TEST_F(DialectOf, a_client_is_uncertain_where_a_transaction_ends_that_has_set_something) {
    one.note_transaction_end();
    EXPECT_FALSE(one.is_uncertain());
    one.step("SET DateStyle TO German");
    one.note_answered();
    one.note_transaction_end();
    EXPECT_TRUE(one.is_uncertain());
    one.adopt(usual, false);
    EXPECT_FALSE(one.is_uncertain());
    EXPECT_FALSE(one.has_stepped());
}

TEST_F(DialectOf, a_client_follows_what_the_server_reports) {
    EXPECT_TRUE(one.reading().standard_conforming_strings);
    EXPECT_FALSE(one.is_out_of_standard());
    one.note_reported({"standard_conforming_strings", "off"});
    EXPECT_FALSE(one.reading().standard_conforming_strings);
    EXPECT_TRUE(one.is_out_of_standard());
    EXPECT_TRUE(one.is_utf8());
    one.note_reported({"client_encoding", "LATIN1"});
    EXPECT_FALSE(one.is_utf8());
    EXPECT_NE(one.digest(), other.digest());
}

TEST_F(DialectOf, an_encoding_that_hides_ascii_is_read_as_written_only_in_ascii) {
    for (const char* encoding : {"SJIS", "BIG5", "GBK", "UHC", "GB18030", "JOHAB", "SHIFT_JIS_2004"}) {
        one.adopt(ParameterSet({{"client_encoding", encoding, true}}), false);
        EXPECT_TRUE(one.is_out_of_standard()) << encoding;
        EXPECT_TRUE(one.is_read_as_written("select 1")) << encoding;
        EXPECT_FALSE(one.is_read_as_written("select '\x95\x5c'")) << encoding;
        EXPECT_FALSE(one.is_read_as_written("select '\\'")) << encoding;
    }
    EXPECT_TRUE(other.is_read_as_written("select '\xC3\xA4\\'"));
}

TEST_F(DialectOf, a_client_whose_search_path_leads_to_pg_temp_creates_temporary_things) {
    EXPECT_FALSE(one.creates_temporary());
    one.adopt(ParameterSet({{"search_path", "public, pg_temp", false}}), false);
    EXPECT_TRUE(one.creates_temporary());
}

TEST(DialectOfUnshared, statements_needs_no_digest) {
    protocol::StatementCache statements({1, 2});
    Dialect dialect(statements, false);
    dialect.adopt(ParameterSet({{"DateStyle", "German", true}, {"standard_conforming_strings", "off", true}}), true);
    EXPECT_EQ(dialect.digest(), 0U);
    EXPECT_FALSE(dialect.reading().standard_conforming_strings);
}

}  // namespace
}  // namespace pgsluice::session
