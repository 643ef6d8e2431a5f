#include "log_format.hpp"

#include <pgsluice/base/escape.hpp>

#include <fmt/format.h>

#include <cmath>
#include <ctime>
#include <iterator>
#include <string_view>

namespace pgsluice::daemon {
namespace {

using log::Level;

constexpr std::size_t name_bytes = 1024;
constexpr std::size_t message_bytes = 4096;

std::string_view name_of(Level level) {
    switch (level) {
        case Level::debug: return "debug";
        case Level::info: return "info";
        case Level::warning: return "warning";
        case Level::error: return "error";
    }
    return "error";
}

// syslog(3)
char priority_of(Level level) {
    switch (level) {
        case Level::debug: return '7';
        case Level::info: return '6';
        case Level::warning: return '4';
        case Level::error: return '3';
    }
    return '3';
}

void append_time(std::string& line, std::chrono::system_clock::time_point time) {
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
    const std::time_t seconds = micros / 1'000'000;
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    fmt::format_to(std::back_inserter(line), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", utc.tm_year + 1900,
                   utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, micros % 1'000'000);
}

// RFC 8259. Control characters, C1 included, as \uNNNN; an octet that is no UTF-8, which JSON cannot carry, as the text
// \xNN. A limit of octets, not of characters.
void append_json(std::string& line, std::string_view text, std::size_t limit) {
    std::size_t read = 0;
    const auto out = std::back_inserter(line);
    line += '"';
    while (read < text.size() && read < limit) {
        const std::string_view rest = text.substr(read);
        const auto c = static_cast<unsigned char>(rest[0]);
        const std::size_t length = utf8_sequence_length(rest);
        if (length == 0) {
            fmt::format_to(out, "\\\\x{:02x}", c);
        } else if (c == '"' || c == '\\') {
            line += '\\';
            line += rest[0];
        } else if (const auto control = control_at(rest)) {
            fmt::format_to(out, "\\u{:04x}", static_cast<std::uint32_t>(*control));
        } else {
            line.append(rest.substr(0, length));
        }
        read += length == 0 ? 1 : length;
    }
    line += read < text.size() ? "...\"" : "\"";
}

// `safe` has its backslashes doubled already.
void append_quoted(std::string& line, std::string_view safe) {
    line += '"';
    for (const char c : safe) {
        if (c == '"') line += '\\';
        line += c;
    }
    line += '"';
}

void append_text(std::string& line, std::string_view text, std::size_t limit) {
    const std::string safe = escaped(text, limit);
    if (!safe.empty() && safe.find_first_of(" \"=") == std::string::npos)
        line += safe;
    else
        append_quoted(line, safe);
}

// In quotes where a part of it could be read as a field: a server's error text may stand in it. So the first `=` of a
// line that does not quote its message belongs to its first field.
void append_message(std::string& line, std::string_view text) {
    const std::string safe = escaped(text, message_bytes);
    if (safe.find('=') == std::string::npos && !safe.starts_with('"'))
        line += safe;
    else
        append_quoted(line, safe);
}

struct JsonValue {
    std::string& line;
    std::size_t limit;
    void operator()(std::string_view text) const { append_json(line, text, limit); }
    void operator()(std::int64_t number) const { fmt::format_to(std::back_inserter(line), "{}", number); }
    void operator()(double number) const {  // JSON has no infinity and no NaN
        if (std::isfinite(number))
            fmt::format_to(std::back_inserter(line), "{}", number);
        else
            line += "null";
    }
    void operator()(bool truth) const { line += truth ? "true" : "false"; }
};

struct TextValue {
    std::string& line;
    std::size_t limit;
    void operator()(std::string_view text) const { append_text(line, text, limit); }
    void operator()(const auto& other) const { fmt::format_to(std::back_inserter(line), "{}", other); }
};

// `session` first, wherever its writer put it.
template <class Append>
void for_each_field(const log::Record& record, Append append) {
    for (const log::Field& field : record.fields) {
        if (field.key == "session") append(field);
    }
    for (const log::Field& field : record.fields) {
        if (field.key != "session") append(field);
    }
}

void format_json(std::string& line, const LogStyle& style, std::chrono::system_clock::time_point time,
                 const log::Record& record) {
    line += R"({"time":")";
    append_time(line, time);
    line += R"(","level":")";
    line += name_of(record.level);
    line += R"(","event":)";
    append_json(line, record.event, name_bytes);
    line += R"(,"message":)";
    append_json(line, record.message, message_bytes);
    for_each_field(record, [&](const log::Field& field) {
        line += ',';
        append_json(line, field.key, name_bytes);
        line += ':';
        std::visit(JsonValue{line, style.value_bytes}, field.value);
    });
    line += '}';
}

void format_text(std::string& line, const LogStyle& style, std::chrono::system_clock::time_point time,
                 const log::Record& record) {
    if (!style.journal) {
        append_time(line, time);
        line += ' ';
    }
    line += name_of(record.level);
    line += ' ';
    line += escaped(record.event, name_bytes);
    line += ' ';
    append_message(line, record.message);
    for_each_field(record, [&](const log::Field& field) {
        line += ' ';
        line += escaped(field.key, name_bytes);
        line += '=';
        std::visit(TextValue{line, style.value_bytes}, field.value);
    });
}

}  // namespace

std::string format_line(const LogStyle& style, std::chrono::system_clock::time_point time, const log::Record& record) {
    std::string line;
    line.reserve(256);
    if (style.journal) {
        line += '<';
        line += priority_of(record.level);
        line += '>';
    }
    if (style.format == config::LogFormat::json)
        format_json(line, style, time, record);
    else
        format_text(line, style, time, record);
    line += '\n';
    return line;
}

}  // namespace pgsluice::daemon
