// The log's backend over spdlog: lines are made on the calling thread, queue in memory and are written by one thread of
// the log's own. A caller never waits: a line that finds the queue full is dropped and counted, and so is one beyond
// the rate limit of its event.
#pragma once

#include "log_format.hpp"
#include "log_limiter.hpp"
#include "log_writer.hpp"

#include <pgsluice/base/log.hpp>
#include <pgsluice/base/result.hpp>
#include <pgsluice/config/config.hpp>
#include <pgsluice/metrics/process.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace pgsluice::daemon {

class LogBackend final : public log::Backend {
  public:
    struct Limits {
        std::uint32_t lines_per_second = 500;  // of one event
        std::size_t queue_lines = 4096;
        std::size_t queue_bytes = std::size_t{32} << 20;
        Milliseconds exit{1000};  // how long the destructor waits for lines to be written
    };

    // Fails where the file cannot be opened. `metrics` must outlive the process' last line: it is never freed.
    // Start it before other threads or not at all: its own blocks all signals.
    static Result<std::unique_ptr<LogBackend>> open(const config::Log& log, metrics::LogMetrics& metrics,
                                                    Limits limits);
    static Result<std::unique_ptr<LogBackend>> open(const config::Log& log, metrics::LogMetrics& metrics);

    // Uninstall it first. Writes what waits, within limits.exit.
    ~LogBackend() override;

    bool enabled(log::Level level) const override;
    void write(const log::Record& record) override;

    // A reload: level, format and file, which is opened again also where its name is the same (log rotation). Where it
    // cannot be opened, the old file and style stay in use. Main thread.
    error_code apply(const config::Log& log);

  private:
    LogBackend(const config::Log& log, LogDescriptor descriptor, metrics::LogMetrics& metrics, Limits limits);

    // Shared with the log's thread, which may outlive the backend: LogWriter leaves one that hangs behind.
    struct Style {
        std::atomic<config::LogFormat> format;
        std::atomic<bool> journal;
        LogStyle value() const { return {format.load(), journal.load()}; }
    };

    void enqueue(const log::Record& record);
    void report(const LogLimiter::Suppressed& suppressed);

    const Limits limits_;
    metrics::LogMetrics& metrics_;
    std::atomic<log::Level> level_;
    const std::shared_ptr<Style> style_;
    LogLimiter limiter_;
    LogWriter writer_;
};

}  // namespace pgsluice::daemon
