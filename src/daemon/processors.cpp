#include "processors.hpp"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

namespace pgsluice::daemon {
namespace {

using std::filesystem::path;

// A group without a quota, or a folder that is none, has -1 or "max" there, or no file.
std::optional<double> quotient(double quota, double period) {
    if (quota > 0 && period > 0) return quota / period;
    return std::nullopt;
}

std::optional<double> quota_of(const path& group) {
    double quota = 0, period = 0;
    std::ifstream(group / "cpu.max") >> quota >> period;
    return quotient(quota, period);
}

std::optional<double> old_quota_of(const path& group) {
    double quota = 0, period = 0;
    std::ifstream(group / "cpu.cfs_quota_us") >> quota;
    std::ifstream(group / "cpu.cfs_period_us") >> period;
    return quotient(quota, period);
}

// From `group` up to `root`. In a container the path may be the host's, of which there is nothing here but the root; a
// path with ".." leads out of what is mounted.
template <class QuotaOf>
std::optional<double> least_on_the_way(const path& root, std::string_view group, QuotaOf quota_of_one) {
    std::optional<double> least = quota_of_one(root);
    path at = root;
    for (const path& part : path(group).relative_path()) {
        if (part == "..") break;
        at /= part;
        const auto quota = quota_of_one(at);
        if (quota) least = std::min(least.value_or(*quota), *quota);
    }
    return least;
}

bool has_word(std::string_view list, std::string_view word) {
    while (!list.empty()) {
        const auto end = std::min(list.find(','), list.size());
        if (list.substr(0, end) == word) return true;
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return false;
}

}  // namespace

// Lines of "ID:CONTROLLERS:PATH"; version 2 has one group, with neither number nor controllers.
std::optional<double> processor_quota(const path& root, std::string_view groups) {
    std::optional<double> least;
    while (!groups.empty()) {
        const auto end = std::min(groups.find('\n'), groups.size());
        const std::string_view line = groups.substr(0, end);
        groups.remove_prefix(std::min(end + 1, groups.size()));
        const auto first = line.find(':');
        const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
        if (second == std::string_view::npos) continue;
        const std::string_view controllers = line.substr(first + 1, second - first - 1),
                               group = line.substr(second + 1);
        std::optional<double> quota;
        if (controllers.empty()) {
            quota = least_on_the_way(root, group, quota_of);
        } else if (has_word(controllers, "cpu")) {
            quota = least_on_the_way(root / "cpu", group, old_quota_of);
        }
        if (quota) least = std::min(least.value_or(*quota), *quota);
    }
    return least;
}

std::size_t usable_processors() {
    cpu_set_t set;
    CPU_ZERO(&set);
    std::size_t count = 1;
    if (sched_getaffinity(0, sizeof set, &set) == 0) count = static_cast<std::size_t>(std::max(1, CPU_COUNT(&set)));
    std::ifstream file("/proc/self/cgroup");
    const std::string groups{std::istreambuf_iterator<char>(file), {}};
    const auto quota = processor_quota("/sys/fs/cgroup", groups);
    if (!quota || *quota >= static_cast<double>(count)) return count;
    return static_cast<std::size_t>(std::max(1.0, *quota + 0.5));
}

}  // namespace pgsluice::daemon
