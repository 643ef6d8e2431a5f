#include "api_gate.hpp"

#include <pgsluice/http/answer.hpp>

#include <algorithm>
#include <array>
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

struct Endpoint {
    std::string_view path;
    Api what;
    bool changes_something;  // so that no link, and no reader ahead of the user, does it
};
constexpr std::array endpoints{
    Endpoint{"/api/overview", Api::overview, false},
    Endpoint{"/api/queries", Api::queries, false},
    Endpoint{"/api/queries/reset", Api::reset_queries, true},
    Endpoint{"/api/sessions", Api::sessions, false},
};

bool is_to_read(std::string_view method) {
    return method == "GET" || method == "HEAD";
}

Answer wrong_method(bool wants_post) {
    if (wants_post) return {.status = 405, .body = "POST only\n", .allow = "POST"};
    return {.status = 405, .body = "GET and HEAD only\n", .allow = "GET, HEAD"};
}

// Who may not ask learns neither paths nor methods.
std::variant<Answer, ApiCall> call_of(std::string_view path, std::string_view query, const Request& request,
                                      const Handlers& handlers, const Secret& token) {
    if (std::optional<Answer> refused = refusal_of_api(request, token)) return std::move(*refused);
    const auto found =
        std::find_if(endpoints.begin(), endpoints.end(), [&](const Endpoint& each) { return each.path == path; });
    if (found == endpoints.end()) {
        return Answer{.status = 404, .body = "not found; try /api/overview, /api/queries or /api/sessions\n"};
    }
    const bool is_right = found->changes_something ? request.method == "POST" : is_to_read(request.method);
    if (!is_right) return wrong_method(found->changes_something);
    if (!handlers.api) return failed();
    return ApiCall{found->what, std::string(query), std::string(request.caller)};
}

}  // namespace

std::variant<Answer, ApiCall> answer(const Request& request, const Handlers& handlers, const Secret& token) {
    const std::size_t mark = request.target.find('?');
    const std::string_view path = request.target.substr(0, mark);
    const std::string_view query = mark == std::string_view::npos ? "" : request.target.substr(mark + 1);
    if (is_of_api(path)) return call_of(path, query, request, handlers, token);
    if (!is_to_read(request.method)) return wrong_method(false);
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
