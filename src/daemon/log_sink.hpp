// Writes lines to standard error or a file on the log's own thread. It waits for a slow reader and gives up at an
// error, unless it is to keep trying, or, once the process ends, at a deadline; it never leaves half a line in front of
// another.
#pragma once

#include <pgsluice/base/result.hpp>
#include <pgsluice/base/time.hpp>
#include <pgsluice/metrics/counter.hpp>

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::daemon {

// A descriptor to write to; owns it unless it is standard error.
class LogDescriptor {
  public:
    // An empty path is standard error. Appends; a FIFO opens also while nobody reads it.
    static Result<LogDescriptor> open(const std::string& path);
    LogDescriptor(LogDescriptor&& other) noexcept;
    LogDescriptor& operator=(LogDescriptor&& other) noexcept;
    ~LogDescriptor();

    int number() const { return number_; }
    bool is_journal() const;  // sd-daemon(3): JOURNAL_STREAM names this descriptor

  private:
    explicit LogDescriptor(int number) : number_(number) {}
    int number_;
};

class LogSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
  public:
    // `dropped` counts lost lines, and `dropped_line` makes the line that reports them.
    LogSink(LogDescriptor descriptor, metrics::SharedCounter& dropped,
            std::function<std::string(std::uint64_t)> dropped_line);

    // Any thread.
    void replace(LogDescriptor descriptor);                       // from the next line on, also one that waits now
    bool wants_flush() { return !is_flush_due_.exchange(true); }  // false: one is on its way
    void give_up_at(TimePoint deadline);                          // beyond it lines are dropped instead of waited for
    void keep_trying(bool on) { keeps_trying_ = on; }             // at an error, such as that of a full disk
    // What waits, and how much may: a queue that holds as many lines or bytes has no room. A line that found room may
    // go beyond the bytes.
    struct Room {
        std::size_t lines;
        std::size_t bytes;
    };
    bool has_room(Room limits) const { return waiting() < limits.lines && waiting_bytes_ < limits.bytes; }
    bool reserve(Room limits, std::size_t line_bytes);  // false where there is no room
    std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
    void lose_line();

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override;
    void flush_() override {
        is_flush_due_ = false;
        adopt_replacement();
    }

  private:
    enum class Wait : std::uint8_t { writable, replaced, in_vain };

    bool write(std::string_view line);
    bool is_late() const;
    Wait wait_until_writable();
    bool adopt_replacement();

    LogDescriptor descriptor_;
    metrics::SharedCounter& dropped_;
    const std::function<std::string(std::uint64_t)> dropped_line_;
    std::atomic<bool> is_flush_due_{false};
    bool line_is_broken_ = false;  // the last line went out in part
    std::atomic<std::size_t> waiting_{0};
    std::atomic<std::size_t> waiting_bytes_{0};
    std::atomic<std::uint64_t> lost_{0};  // not reported yet
    std::atomic<TimePoint::rep> give_up_at_{never.time_since_epoch().count()};
    std::atomic<bool> keeps_trying_{false};
    std::atomic<bool> has_replacement_{false};
    std::mutex replacement_mutex_;
    std::vector<LogDescriptor> replacement_;  // empty or one
};

}  // namespace pgsluice::daemon
