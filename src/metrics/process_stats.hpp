// What the kernel says of this process. Works without /proc/stat and the like (ProcSubset=pid).
#pragma once

#include <cstdint>
#include <optional>

namespace pgsluice::metrics {

// A value that cannot be read now (no descriptor left to read it with) is nullopt.
struct ProcessStats {
    std::optional<double> cpu_seconds;
    std::optional<double> start_time_seconds;  // Unix time
    std::optional<std::uint64_t> resident_bytes, virtual_bytes;
    std::optional<std::uint64_t> open_descriptors, max_descriptors;

    static ProcessStats read();
};

}  // namespace pgsluice::metrics
