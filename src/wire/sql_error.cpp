#include <pgsluice/wire/reader.hpp>
#include <pgsluice/wire/sql_error.hpp>
#include <pgsluice/wire/writer.hpp>

#include <algorithm>

namespace pgsluice::wire {
namespace {

ByteView word(Severity severity) {
    switch (severity) {
        case Severity::fatal: return "FATAL";
        case Severity::error: return "ERROR";
        case Severity::warning: return "WARNING";
        case Severity::notice: return "NOTICE";
    }
    return "ERROR";
}

SqlError make(Severity severity, const char (&sqlstate)[6], std::string message, std::string detail, std::string hint) {
    SqlError made{severity, {}, std::move(message), std::move(detail), std::move(hint)};
    std::copy(std::begin(sqlstate), std::end(sqlstate), made.sqlstate.begin());
    return made;
}

}  // namespace

SqlError fatal(const char (&sqlstate)[6], std::string message, std::string detail, std::string hint) {
    return make(Severity::fatal, sqlstate, std::move(message), std::move(detail), std::move(hint));
}

SqlError error(const char (&sqlstate)[6], std::string message, std::string detail, std::string hint) {
    return make(Severity::error, sqlstate, std::move(message), std::move(detail), std::move(hint));
}

SqlError notice(std::string message, std::string detail, std::string hint) {
    return make(Severity::notice, "00000", std::move(message), std::move(detail), std::move(hint));
}

void write_error(Bytes& out, const SqlError& error) {
    const bool is_error = error.severity == Severity::fatal || error.severity == Severity::error;
    Writer writer(out);
    writer.begin(is_error ? BackendTag::error_response : BackendTag::notice_response);
    writer.byte('S').string(word(error.severity));
    writer.byte('V').string(word(error.severity));
    writer.byte('C').string(error.code());
    writer.byte('M').string(error.message);
    if (!error.detail.empty()) writer.byte('D').string(error.detail);
    if (!error.hint.empty()) writer.byte('H').string(error.hint);
    writer.byte('R').string(error.routine);
    writer.byte('\0').end();
}

bool read_error(ByteView body, ErrorFields& fields) {
    Reader reader(body);
    ByteView translated;
    while (const char code = static_cast<char>(reader.byte())) {
        const ByteView value = reader.string();
        switch (code) {
            case 'S': translated = value; break;
            case 'V': fields.severity = value; break;
            case 'C': fields.sqlstate = value; break;
            case 'M': fields.message = value; break;
            case 'D': fields.detail = value; break;
            case 'H': fields.hint = value; break;
            case 'R': fields.routine = value; break;
            default: break;
        }
    }
    if (fields.severity.empty()) fields.severity = translated;
    return reader.ok();
}

}  // namespace pgsluice::wire
