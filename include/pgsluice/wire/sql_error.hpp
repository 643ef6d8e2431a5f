// An error as PostgreSQL words it. Those that pgsluice makes carry the routine field R "pgsluice", so that whoever
// reads one knows which side of the proxy it came from, but where drivers know an error by PostgreSQL's routine.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <array>
#include <cstdint>
#include <string>

namespace pgsluice::wire {

enum class Severity : std::uint8_t { fatal, error, warning, notice };

struct SqlError {
    Severity severity = Severity::error;
    std::array<char, 6> sqlstate{'X', 'X', '0', '0', '0', '\0'};
    std::string message;
    std::string detail;
    std::string hint;
    ByteView routine = "pgsluice";  // of static storage

    ByteView code() const { return ByteView(sqlstate.data(), 5); }
};

SqlError fatal(const char (&sqlstate)[6], std::string message, std::string detail = {}, std::string hint = {});
SqlError error(const char (&sqlstate)[6], std::string message, std::string detail = {}, std::string hint = {});
SqlError notice(std::string message, std::string detail = {}, std::string hint = {});

// Appends an ErrorResponse, or a NoticeResponse for a notice or warning.
void write_error(Bytes& out, const SqlError& error);

// The fields of an ErrorResponse or NoticeResponse that came from a server: every one of them is optional, and empty
// when it is not there (PgBouncer's CVE-2026-6666 was a missing SQLSTATE). Views into the body.
struct ErrorFields {
    ByteView severity;  // V, which is never translated, else S
    ByteView sqlstate;
    ByteView message;
    ByteView detail;
    ByteView hint;
    ByteView routine;  // the function in PostgreSQL's source that reports it
};

// False where the body is malformed (a field without its terminator, no final NUL).
bool read_error(ByteView body, ErrorFields& fields);

}  // namespace pgsluice::wire
