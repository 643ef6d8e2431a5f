#include "log_sink.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace pgsluice::daemon {
namespace {

// A pipe that polls as writable takes this much without blocking (pipe(7): PIPE_BUF), a stream socket too; so standard
// error need not be non-blocking, a flag that it would share with whoever else holds it.
constexpr std::size_t chunk_bytes = 4096;
// How long a deadline or a replaced descriptor may go unnoticed.
constexpr int slice_ms = 50;

constexpr int open_flags = O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

error_code last_error() {
    return {errno, boost::system::system_category()};
}

}  // namespace

Result<LogDescriptor> LogDescriptor::open(const std::string& path) {
    if (path.empty()) return LogDescriptor(STDERR_FILENO);
    int number = ::open(path.c_str(), O_WRONLY | open_flags, 0640);
    // fifo(7): write-only, a FIFO that nobody reads does not open; for reading and writing it does, on Linux.
    if (number < 0 && errno == ENXIO) number = ::open(path.c_str(), O_RDWR | open_flags, 0640);
    if (number < 0) return last_error();
    return LogDescriptor(number);
}

LogDescriptor::LogDescriptor(LogDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

LogDescriptor& LogDescriptor::operator=(LogDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
}

LogDescriptor::~LogDescriptor() {
    if (number_ >= 0 && number_ != STDERR_FILENO) ::close(number_);
}

bool LogDescriptor::is_journal() const {
    const char* stream = std::getenv("JOURNAL_STREAM");
    unsigned long long device = 0, inode = 0;
    struct stat status {};
    return stream != nullptr && std::sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           ::fstat(number_, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

LogSink::LogSink(LogDescriptor descriptor, metrics::SharedCounter& dropped,
                 std::function<std::string(std::uint64_t)> dropped_line)
    : descriptor_(std::move(descriptor)), dropped_(dropped), dropped_line_(std::move(dropped_line)) {}

void LogSink::replace(LogDescriptor descriptor) {
    const std::scoped_lock lock(replacement_mutex_);
    replacement_.clear();
    replacement_.push_back(std::move(descriptor));
    has_replacement_ = true;
}

void LogSink::give_up_at(TimePoint deadline) {
    give_up_at_ = deadline.time_since_epoch().count();
}

bool LogSink::reserve(Room limits, std::size_t line_bytes) {
    const bool has_line = waiting_.fetch_add(1, std::memory_order_relaxed) < limits.lines;
    const bool has_bytes = waiting_bytes_.fetch_add(line_bytes, std::memory_order_relaxed) < limits.bytes;
    if (has_line && has_bytes) return true;
    waiting_bytes_.fetch_sub(line_bytes, std::memory_order_relaxed);
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    return false;
}

void LogSink::lose_line() {
    dropped_.add();
    lost_.fetch_add(1, std::memory_order_relaxed);
}

void LogSink::sink_it_(const spdlog::details::log_msg& message) {
    if (const auto lost = lost_.exchange(0, std::memory_order_relaxed); lost != 0 && !write(dropped_line_(lost)))
        lost_.fetch_add(lost, std::memory_order_relaxed);
    if (!write({message.payload.data(), message.payload.size()})) lose_line();
    waiting_bytes_.fetch_sub(message.payload.size(), std::memory_order_relaxed);
    waiting_.fetch_sub(1, std::memory_order_relaxed);
}

// False where the line is lost.
bool LogSink::write(std::string_view line) {
    std::string_view rest = line;
    while (!rest.empty()) {
        if (adopt_replacement()) rest = line;  // whole, in the new file
        const Wait waited = wait_until_writable();
        if (waited == Wait::in_vain) break;
        if (waited == Wait::replaced) continue;
        const bool ends_broken_line = line_is_broken_ && rest.size() == line.size();
        const std::string_view chunk = ends_broken_line ? std::string_view("\n") : rest.substr(0, chunk_bytes);
        const ssize_t written = ::write(descriptor_.number(), chunk.data(), chunk.size());
        if (written < 0 && errno != EINTR && errno != EAGAIN) {  // full disk, reader gone
            if (!keeps_trying_ || is_late()) break;
            ::poll(nullptr, 0, slice_ms);
        }
        if (written <= 0) continue;
        if (ends_broken_line)
            line_is_broken_ = false;
        else
            rest.remove_prefix(static_cast<std::size_t>(written));
    }
    if (rest.size() != line.size()) line_is_broken_ = !rest.empty();
    return rest.empty();
}

bool LogSink::is_late() const {
    return std::chrono::steady_clock::now().time_since_epoch().count() >= give_up_at_;
}

LogSink::Wait LogSink::wait_until_writable() {
    for (;;) {
        const bool late = is_late();
        pollfd poll{.fd = descriptor_.number(), .events = POLLOUT, .revents = 0};
        const int ready = ::poll(&poll, 1, late ? 0 : slice_ms);
        if (ready > 0) return Wait::writable;
        if (late || (ready < 0 && errno != EINTR)) return Wait::in_vain;
        if (has_replacement_) return Wait::replaced;
    }
}

bool LogSink::adopt_replacement() {
    if (!has_replacement_) return false;
    const std::scoped_lock lock(replacement_mutex_);
    descriptor_ = std::move(replacement_.back());
    replacement_.clear();
    has_replacement_ = false;
    line_is_broken_ = false;
    return true;
}

}  // namespace pgsluice::daemon
