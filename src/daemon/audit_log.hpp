// The audit log: JSON lines about who did what, in a file of its own. A line is made on the thread that has something
// to tell. Where the queue is full, as with a disk that is full or slow, either the line is lost and counted, or that
// thread waits until there is room: audit.on_overflow.
#pragma once

#include "log_writer.hpp"

#include <pgsluice/base/log.hpp>
#include <pgsluice/base/result.hpp>
#include <pgsluice/config/config.hpp>
#include <pgsluice/metrics/process.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>

namespace pgsluice::daemon {

class AuditLog final : public log::Backend {
  public:
    static constexpr LogWriter::Setup usual{.queue_lines = 8192, .exit = Milliseconds(3000)};

    // The thread that makes it never waits, whatever the configuration says: it ends the process. `metrics` must
    // outlive the process' last line: it is never freed.
    explicit AuditLog(metrics::AuditMetrics& metrics, LogWriter::Setup setup = usual);
    ~AuditLog() override;

    // Opens the file, again also where its name is the same (log rotation), and installs itself; without a file, takes
    // itself out. Where it cannot be opened all stays as it was. The thread that made it.
    error_code apply(const config::Audit& audit);
    // From then on a full queue loses lines. The thread that made it.
    void stop_waiting_at(TimePoint when);
    // Tells the log how many lines were lost since it was told last, at most once a second. Likewise.
    void report_lost(TimePoint now);

    bool enabled(log::Level) const override { return true; }
    void write(const log::Record& record) override;

  private:
    void set_blocks(bool on);
    bool may_wait() const;
    bool add_when_there_is_room(std::string_view line);

    const LogWriter::Setup setup_;
    metrics::AuditMetrics& metrics_;
    const std::thread::id maker_ = std::this_thread::get_id();
    std::unique_ptr<LogWriter> writer_;  // made when there is a file for the first time, and kept
    std::atomic<bool> blocks_{false};
    std::atomic<TimePoint::rep> stop_waiting_at_{never.time_since_epoch().count()};
    std::uint64_t reported_ = 0;
    TimePoint next_report_{};
};

}  // namespace pgsluice::daemon
