// How many processors there are for this process.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string_view>

namespace pgsluice::daemon {

// The processors' worth of time that the control groups of a process let it have: the least of its own group and those
// above, down to fractions; nullopt where none of them has a quota. `root` is where the groups are mounted
// (/sys/fs/cgroup), `groups` the text of /proc/PID/cgroup, of either version or both.
std::optional<double> processor_quota(const std::filesystem::path& root, std::string_view groups);

// Processors that this process may use, at least one: by its affinity, and by the quota of its control groups.
std::size_t usable_processors();

}  // namespace pgsluice::daemon
