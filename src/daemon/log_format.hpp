// A log record as one line: text for people, JSON for machines. Pure; whatever bytes a record holds, the line holds no
// control character but its final newline, and is valid UTF-8.
#pragma once

#include <pgsluice/base/log.hpp>
#include <pgsluice/config/config.hpp>

#include <chrono>
#include <cstddef>
#include <string>

namespace pgsluice::daemon {

struct LogStyle {
    config::LogFormat format = config::LogFormat::text;
    bool journal = false;            // sd-daemon(3): "<N>" first; text leaves the time to the journal
    std::size_t value_bytes = 1024;  // what is longer is cut
};

// Ends in a newline. The fields `time`, `level`, `event`, `message`, then `session` where the record has it, then the
// rest.
std::string format_line(const LogStyle& style, std::chrono::system_clock::time_point time, const log::Record& record);

}  // namespace pgsluice::daemon
