#include "api_gate.hpp"

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

std::variant<Answer, OverviewWanted> get_api(std::string_view path, const Request& request, const Handlers& handlers,
                                             const Secret& token) {
    if (std::optional<Answer> refused = refusal_of_api(request, token)) return std::move(*refused);
    if (path != "/api/overview") return Answer{.status = 404, .body = "not found; try /api/overview\n"};
    if (!handlers.overview) return failed();
    return OverviewWanted{};
}

}  // namespace

std::variant<Answer, OverviewWanted> answer(const Request& request, const Handlers& handlers, const Secret& token) {
    if (request.method != "GET" && request.method != "HEAD")
        return Answer{.status = 405, .body = "GET and HEAD only\n", .allow = "GET, HEAD"};
    const std::string_view path = request.target.substr(0, request.target.find('?'));
    if (is_of_api(path)) return get_api(path, request, handlers, token);
    try {
        return get(path, handlers);
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
