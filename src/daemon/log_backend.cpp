#include "log_backend.hpp"

#include <pthread.h>
#include <signal.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>

#include <exception>
#include <string>
#include <thread>
#include <utility>

namespace pgsluice::daemon {
namespace {

// Flushes share spdlog's queue with the lines that LogSink::reserve counts.
constexpr std::size_t queue_slack = 64;

log::Level level_of(config::LogLevel level) {
    switch (level) {
        case config::LogLevel::debug: return log::Level::debug;
        case config::LogLevel::info: return log::Level::info;
        case config::LogLevel::warning: return log::Level::warning;
        case config::LogLevel::error: return log::Level::error;
    }
    return log::Level::info;
}

// Signals belong to the main thread; SIGPIPE would end the process when a log's reader goes.
void block_signals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
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
      format_(log.format),
      to_journal_(descriptor.is_journal()),
      limiter_(limits.lines_per_second) {
    const auto dropped_line = [this](std::uint64_t count) {
        return format_line(style(), std::chrono::system_clock::now(),
                           {log::Level::warning,
                            "log_dropped",
                            "the log did not take lines in time",
                            {{"count", static_cast<std::int64_t>(count)}}});
    };
    sink_ = std::make_shared<LogSink>(std::move(descriptor), metrics, dropped_line);
    thread_ = std::make_shared<spdlog::details::thread_pool>(limits.queue_lines + queue_slack, 1, block_signals);
    logger_ = std::make_shared<spdlog::async_logger>("pgsluice", sink_, thread_,
                                                     spdlog::async_overflow_policy::overrun_oldest);
    logger_->set_error_handler([](const std::string&) {});  // the default prints to standard error
}

LogBackend::~LogBackend() {
    const TimePoint deadline = std::chrono::steady_clock::now() + limits_.exit;
    sink_->give_up_at(deadline);
    report(limiter_.take_all());
    while (sink_->waiting() != 0 && std::chrono::steady_clock::now() < deadline + Milliseconds(200))
        std::this_thread::sleep_for(Milliseconds(2));
    // A thread that hangs inside write(2) cannot be joined: it is left to the end of the process, with all it uses.
    if (sink_->waiting() != 0) static_cast<void>(new auto(std::pair(thread_, logger_)));
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
        sink_->lose_line();
    }
}

error_code LogBackend::apply(const config::Log& log) {
    auto descriptor = LogDescriptor::open(log.file);
    if (!descriptor) return descriptor.error();
    level_ = level_of(log.level);
    format_ = log.format;
    to_journal_ = descriptor->is_journal();
    sink_->replace(std::move(*descriptor));
    logger_->flush();  // so that an idle log lets go of the old file
    return {};
}

// A full queue is looked at twice: first, so that a line which nobody will read is not made.
void LogBackend::enqueue(const log::Record& record) {
    if (sink_->waiting() >= limits_.queue_lines) return sink_->lose_line();
    const std::string line = format_line(style(), std::chrono::system_clock::now(), record);
    if (!sink_->reserve(limits_.queue_lines)) return sink_->lose_line();
    logger_->log(spdlog::level::info, line);
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
