#include "log_writer.hpp"

#include <pthread.h>
#include <signal.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace pgsluice::daemon {
namespace {

// Flushes, of which one waits at most, share spdlog's queue with the lines that LogSink::reserve counts: one too many
// would cost the oldest line.
constexpr std::size_t queue_slack = 2;

// Signals belong to the main thread; SIGPIPE would end the process when a log's reader goes.
void block_signals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

}  // namespace

LogWriter::LogWriter(std::shared_ptr<LogSink> sink, Setup setup)
    : setup_(setup),
      sink_(std::move(sink)),
      thread_(std::make_shared<spdlog::details::thread_pool>(setup.queue_lines + queue_slack, 1, block_signals)),
      logger_(std::make_shared<spdlog::async_logger>("pgsluice", sink_, thread_,
                                                     spdlog::async_overflow_policy::overrun_oldest)) {
    logger_->set_error_handler([](const std::string&) {});  // the default prints to standard error
}

LogWriter::~LogWriter() {
    const TimePoint deadline = std::chrono::steady_clock::now() + setup_.exit;
    sink_->give_up_at(deadline);
    while (sink_->waiting() != 0 && std::chrono::steady_clock::now() < deadline + Milliseconds(200))
        std::this_thread::sleep_for(Milliseconds(2));
    // A thread that hangs inside write(2) cannot be joined: it is left to the end of the process, with all it uses.
    using Left = std::vector<std::pair<decltype(thread_), decltype(logger_)>>;
    static auto* const left = new Left;  // within reach, so that it is not taken for a leak
    if (sink_->waiting() != 0) left->emplace_back(thread_, logger_);
}

bool LogWriter::add(std::string_view line) {
    if (!sink_->reserve(room(), line.size())) return false;
    logger_->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
    return true;
}

void LogWriter::replace(LogDescriptor descriptor) {
    sink_->replace(std::move(descriptor));
    // So that an idle log lets go of the old file.
    if (sink_->wants_flush()) logger_->flush();
}

}  // namespace pgsluice::daemon
