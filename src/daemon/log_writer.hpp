// Lines on their way to a log: they queue in memory, and one thread of the log's own writes them. Whoever adds a line
// never waits here.
#pragma once

#include "log_sink.hpp"

#include <pgsluice/base/time.hpp>

#include <cstddef>
#include <memory>
#include <string_view>

namespace spdlog {
class async_logger;
namespace details {
class thread_pool;
}
}  // namespace spdlog

namespace pgsluice::daemon {

class LogWriter {
  public:
    struct Setup {
        std::size_t queue_lines = 4096;
        std::size_t queue_bytes = std::size_t{32} << 20;  // long lines would be much before they are many
        Milliseconds exit{1000};                          // how long the destructor waits for lines to be written
    };

    // The thread blocks all signals: they belong to the main thread.
    LogWriter(std::shared_ptr<LogSink> sink, Setup setup);
    LogWriter(const LogWriter&) = delete;
    LogWriter& operator=(const LogWriter&) = delete;
    // Writes what waits, within setup.exit.
    ~LogWriter();

    // Any thread.
    bool has_room() const { return sink_->has_room(room()); }
    bool add(std::string_view line);  // false: there is no room
    LogSink& sink() const { return *sink_; }
    // Another file, from the next line on.
    void replace(LogDescriptor descriptor);

  private:
    LogSink::Room room() const { return {setup_.queue_lines, setup_.queue_bytes}; }

    const Setup setup_;
    std::shared_ptr<LogSink> sink_;
    std::shared_ptr<spdlog::details::thread_pool> thread_;
    std::shared_ptr<spdlog::async_logger> logger_;
};

}  // namespace pgsluice::daemon
