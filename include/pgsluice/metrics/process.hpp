// What is counted once for the whole process. Owned by the Registry, lives as long as it.
#pragma once

#include <pgsluice/metrics/counter.hpp>
#include <pgsluice/metrics/labels.hpp>

#include <cstdint>
#include <string>

namespace pgsluice::metrics {

// Written by the log's threads.
struct LogMetrics {
    SharedCounter dropped;     // the log could not take them: full queue, full disk, blocked pipe
    SharedCounter suppressed;  // beyond the rate limit of their event
};

// Written by whoever writes to the audit log.
struct AuditMetrics {
    SharedCounter dropped;  // lines that it could not take: full queue, full disk
    SharedCounter waits;    // how often a thread had to wait for room in its queue (audit.on_overflow: block)
};

// Written by the main thread.
struct ProcessMetrics {
    By<Counter, Outcome> reloads;
    Gauge last_reload_succeeded;    // 1 or 0
    Gauge configuration_loaded_at;  // Unix seconds of the last good load, the first included
    Gauge loose_secret_files;       // secret files that others can read
    LogMetrics log;
    AuditMetrics audit;
};

struct Certificate {
    std::string use;   // "listener", "cluster" or "admin"
    std::string name;  // which one: an address and port, a cluster's name, or "http"
    std::string file;
    std::int64_t expires_at_seconds = 0;  // Unix time of notAfter
};

}  // namespace pgsluice::metrics
