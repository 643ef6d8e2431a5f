#include "process_stats.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <ctime>
#include <sstream>
#include <string>

namespace pgsluice::metrics {
namespace {

std::string read_small_file(const char* path) {
    std::string text;
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return text;
    std::array<char, 4096> buffer;  // stat is one line of less than 1 KiB
    const ssize_t size = ::read(fd, buffer.data(), buffer.size());
    if (size > 0) text.assign(buffer.data(), static_cast<std::size_t>(size));
    ::close(fd);
    return text;
}

double seconds(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

// proc(5): the second field is the command in parentheses and may hold anything, so fields are counted behind the last
// ')'.
void read_stat(ProcessStats& stats) {
    const std::string text = read_small_file("/proc/self/stat");
    const auto paren = text.rfind(')');
    if (paren == std::string::npos) return;
    std::istringstream fields(text.substr(paren + 1));
    std::string skipped;
    for (int field = 3; field < 22; ++field) fields >> skipped;
    std::uint64_t start_ticks = 0, virtual_bytes = 0, resident_pages = 0;
    if (!(fields >> start_ticks >> virtual_bytes >> resident_pages)) return;
    const double since_boot = static_cast<double>(start_ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    stats.start_time_seconds = seconds(CLOCK_REALTIME) - seconds(CLOCK_BOOTTIME) + since_boot;
    stats.virtual_bytes = virtual_bytes;
    stats.resident_bytes = resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::optional<std::uint64_t> count_descriptors() {
    DIR* folder = ::opendir("/proc/self/fd");
    if (folder == nullptr) return std::nullopt;
    std::uint64_t count = 0;
    while (const dirent* entry = ::readdir(folder)) {
        if (entry->d_name[0] != '.') ++count;
    }
    ::closedir(folder);
    return count == 0 ? 0 : count - 1;  // the folder's own
}

}  // namespace

ProcessStats ProcessStats::read() {
    ProcessStats stats;
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) == 0) stats.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) stats.max_descriptors = limit.rlim_cur;
    stats.open_descriptors = count_descriptors();
    read_stat(stats);
    return stats;
}

}  // namespace pgsluice::metrics
