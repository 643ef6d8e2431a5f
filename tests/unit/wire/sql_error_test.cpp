#include <pgsluice/wire/frame.hpp>
#include <pgsluice/wire/sql_error.hpp>

#include <gtest/gtest.h>
#include <support/messages.hpp>
#include <support/splits.hpp>

namespace pgsluice::wire {
namespace {

Bytes written(const SqlError& error) {
    Bytes out;
    write_error(out, error);
    return out;
}
ByteView body(const Bytes& message) {
    return ByteView(message).substr(header_bytes);
}
ErrorFields fields_of(ByteView text) {
    ErrorFields fields;
    EXPECT_TRUE(read_error(text, fields));
    return fields;
}
bool is_malformed(ByteView text) {
    ErrorFields fields;
    return !read_error(text, fields);
}

}  // namespace

TEST(SqlError, is_written_as_postgresql_words_it) {
    EXPECT_EQ(test::describe(written(error("42501", "no", "because", "ask"))),
              "ErrorResponse ERROR 42501 \"no\" D=\"because\" H=\"ask\" R=\"pgsluice\"\n");
    EXPECT_EQ(test::describe(written(fatal("57P01", "bye"))), "ErrorResponse FATAL 57P01 \"bye\" R=\"pgsluice\"\n");
    EXPECT_EQ(test::describe(written(notice("waiting"))), "NoticeResponse NOTICE 00000 \"waiting\" R=\"pgsluice\"\n");
    SqlError warning = notice("careful");
    warning.severity = Severity::warning;
    EXPECT_EQ(test::describe(written(warning)), "NoticeResponse WARNING 00000 \"careful\" R=\"pgsluice\"\n");
}

TEST(SqlError, has_a_code_of_its_own_when_nobody_gives_one) {
    EXPECT_EQ(SqlError{}.code(), "XX000");
}

TEST(SqlError, both_severity_fields_are_sent) {
    const Bytes message = written(error("42501", "no"));
    EXPECT_EQ(body(message).substr(0, 14), ByteView("SERROR\0VERROR\0", 14));
}

TEST(SqlError, text_with_a_nul_cannot_become_another_field) {
    const Bytes message = written(error("42501", std::string("no\0CXXXXX", 9)));
    EXPECT_EQ(fields_of(body(message)).sqlstate, "42501");
    EXPECT_EQ(fields_of(body(message)).message, "no");
}

TEST(ReadError, gives_back_what_was_written) {
    const Bytes message = written(error("42501", "no", "because", "ask"));
    const ErrorFields fields = fields_of(body(message));
    EXPECT_EQ(fields.severity, "ERROR");
    EXPECT_EQ(fields.sqlstate, "42501");
    EXPECT_EQ(fields.message, "no");
    EXPECT_EQ(fields.detail, "because");
    EXPECT_EQ(fields.hint, "ask");
}

TEST(ReadError, says_which_routine_of_the_server_reports_it) {
    EXPECT_EQ(fields_of(ByteView("C0A000\0RRevalidateCachedQuery\0\0", 31)).routine, "RevalidateCachedQuery");
}

// CVE-2026-6666 was a server that left one out.
TEST(ReadError, every_field_may_be_missing) {
    const ErrorFields none = fields_of(ByteView("\0", 1));
    EXPECT_TRUE(none.severity.empty() && none.sqlstate.empty() && none.message.empty());
    EXPECT_EQ(fields_of(ByteView("Monly\0\0", 7)).message, "only");
    EXPECT_EQ(fields_of(ByteView("C\0M\0\0", 5)).sqlstate, "");
    EXPECT_EQ(fields_of(ByteView("zunknown\0Mx\0\0", 13)).message, "x");
}

TEST(ReadError, the_untranslated_severity_is_preferred) {
    EXPECT_EQ(fields_of(ByteView("SFEHLER\0VERROR\0\0", 16)).severity, "ERROR");
    EXPECT_EQ(fields_of(ByteView("VERROR\0SFEHLER\0\0", 16)).severity, "ERROR");
    EXPECT_EQ(fields_of(ByteView("SFATAL\0\0", 8)).severity, "FATAL");
}

TEST(ReadError, every_cut_is_malformed) {
    const Bytes message = written(error("42501", "no", "because", "ask"));
    for (const ByteView prefix : test::every_prefix(body(message))) EXPECT_TRUE(is_malformed(prefix)) << prefix;
    EXPECT_TRUE(is_malformed(""));
    EXPECT_TRUE(is_malformed("M"));
    EXPECT_TRUE(is_malformed(ByteView("M\0", 2))) << "no final NUL";
}

}  // namespace pgsluice::wire
