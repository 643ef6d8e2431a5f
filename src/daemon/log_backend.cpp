#include "log_backend.hpp"

#include <exception>
#include <string>
#include <utility>

namespace pgsluice::daemon {
namespace {

log::Level level_of(config::LogLevel level) {
    switch (level) {
        case config::LogLevel::debug: return log::Level::debug;
        case config::LogLevel::info: return log::Level::info;
        case config::LogLevel::warning: return log::Level::warning;
        case config::LogLevel::error: return log::Level::error;
    }
    return log::Level::info;
}

std::string dropped_line(const LogStyle& style, std::uint64_t count) {
    return format_line(style, std::chrono::system_clock::now(),
                       {log::Level::warning,
                        "log_dropped",
                        "the log did not take lines in time",
                        {{"count", static_cast<std::int64_t>(count)}}});
}

}  // namespace

Result<std::unique_ptr<LogBackend>> LogBackend::open(const config::Log& log, metrics::LogMetrics& metrics) {
    return open(log, metrics, Limits());
}

Result<std::unique_ptr<LogBackend>> LogBackend::open(const config::Log& log, metrics::LogMetrics& metrics,
                                                     Limits limits) {
    auto descriptor = LogDescriptor::open(log.file);
    if (!descriptor) return descriptor.error();
    return std::unique_ptr<LogBackend>(new LogBackend(log, std::move(*descriptor), metrics, limits));
}

LogBackend::LogBackend(const config::Log& log, LogDescriptor descriptor, metrics::LogMetrics& metrics, Limits limits)
    : limits_(limits),
      metrics_(metrics),
      level_(level_of(log.level)),
      style_(new Style{{log.format}, {descriptor.is_journal()}}),
      limiter_(limits.lines_per_second),
      writer_(std::make_shared<LogSink>(
                  std::move(descriptor), metrics.dropped,
                  [style = style_](std::uint64_t count) { return dropped_line(style->value(), count); }),
              {.queue_lines = limits.queue_lines, .queue_bytes = limits.queue_bytes, .exit = limits.exit}) {}

LogBackend::~LogBackend() {
    report(limiter_.take_all());
}

bool LogBackend::enabled(log::Level level) const {
    return level >= level_.load(std::memory_order_relaxed);
}

void LogBackend::write(const log::Record& record) {
    try {
        LogLimiter::Suppressed ended;
        const bool admitted = limiter_.admit(record.event, std::chrono::steady_clock::now(), ended);
        report(ended);
        if (admitted)
            enqueue(record);
        else
            metrics_.suppressed.add();
    } catch (const std::exception&) {
        writer_.sink().lose_line();
    }
}

error_code LogBackend::apply(const config::Log& log) {
    auto descriptor = LogDescriptor::open(log.file);
    if (!descriptor) return descriptor.error();
    level_ = level_of(log.level);
    style_->format = log.format;
    style_->journal = descriptor->is_journal();
    writer_.replace(std::move(*descriptor));
    return {};
}

// A full queue is looked at twice: first, so that a line which nobody will read is not made.
void LogBackend::enqueue(const log::Record& record) {
    if (!writer_.has_room()) return writer_.sink().lose_line();
    if (!writer_.add(format_line(style_->value(), std::chrono::system_clock::now(), record)))
        writer_.sink().lose_line();
}

void LogBackend::report(const LogLimiter::Suppressed& suppressed) {
    for (const auto& [event, count] : suppressed) {
        enqueue({log::Level::warning,
                 "log_suppressed",
                 "too many lines of one event",
                 {{"suppressed_event", event}, {"count", static_cast<std::int64_t>(count)}}});
    }
}

}  // namespace pgsluice::daemon
