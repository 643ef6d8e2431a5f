// What the endpoint answers: pure functions of the request line and the daemon's handlers, without a socket.
#pragma once

#include <pgsluice/base/time.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::http {

struct Health {
    bool ok = false;
    std::string text;  // one line: why not, or "ok"
};

// Called on the server's thread, never on a worker. An empty function or one that throws makes a 500 of its path.
struct Handlers {
    std::function<std::string()> metrics;  // /metrics: text exposition
    std::function<Health()> healthy;       // /healthz
    std::function<Health()> ready;         // /readyz: starting, draining, no listener
};

struct Answer {
    unsigned status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body{};
    std::string allow{};  // the Allow header of a 405
};

// `target` as in the request line; a query string is ignored. Never throws, save bad_alloc.
Answer answer(std::string_view method, std::string_view target, const Handlers& handlers);

// Healthy where every worker's loop came round within `limit`. A worker that has not yet (nullopt) counts as hanging.
Health loops_healthy(const std::vector<std::optional<TimePoint>>& last_ticks, TimePoint now, Milliseconds limit);

}  // namespace pgsluice::http
