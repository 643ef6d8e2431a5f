#include <pgsluice/http/answer.hpp>

#include <cstdio>
#include <exception>

namespace pgsluice::http {
namespace {

Answer failed() {
    return {.status = 500, .body = "internal error\n"};
}

Answer of(const Health& health) {
    return {.status = health.ok ? 200u : 503u, .body = health.text + "\n"};
}

Answer get(std::string_view path, const Handlers& handlers) {
    if (path == "/metrics") {
        if (!handlers.metrics) return failed();
        return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = handlers.metrics()};
    }
    if (path == "/healthz") return handlers.healthy ? of(handlers.healthy()) : failed();
    if (path == "/readyz") return handlers.ready ? of(handlers.ready()) : failed();
    return {.status = 404, .body = "not found; try /metrics, /healthz or /readyz\n"};
}

}  // namespace

Answer answer(std::string_view method, std::string_view target, const Handlers& handlers) {
    if (method != "GET" && method != "HEAD")
        return {.status = 405, .body = "GET and HEAD only\n", .allow = "GET, HEAD"};
    try {
        return get(target.substr(0, target.find('?')), handlers);
    } catch (const std::exception&) {
        return failed();
    }
}

Health loops_healthy(const std::vector<std::optional<TimePoint>>& last_ticks, TimePoint now, Milliseconds limit) {
    Health health{.ok = true, .text = {}};
    for (std::size_t worker = 0; worker < last_ticks.size(); ++worker) {
        const auto& tick = last_ticks[worker];
        if (tick && now - *tick <= limit) continue;
        health.ok = false;
        if (!health.text.empty()) health.text += "; ";
        health.text += "worker " + std::to_string(worker);
        if (tick) {
            char seconds[32];
            std::snprintf(seconds, sizeof seconds, "%.1f", std::chrono::duration<double>(now - *tick).count());
            health.text += " has not come round for " + std::string(seconds) + " s";
        } else {
            health.text += " has not come round yet";
        }
    }
    if (health.ok) health.text = "ok";
    return health;
}

}  // namespace pgsluice::http
