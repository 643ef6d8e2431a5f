// What the endpoint answers: pure functions of the request and the daemon's handlers, without a socket.
#pragma once

#include <pgsluice/base/secret.hpp>
#include <pgsluice/base/time.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pgsluice::http {

struct Health {
    bool ok = false;
    std::string text;  // one line: why not, or "ok"
};

struct Answer {
    unsigned status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body{};
    std::string allow{};         // the Allow header of a 405
    std::string authenticate{};  // the WWW-Authenticate header of a 401
};

// What there is under /api/.
enum class Api : std::uint8_t {
    overview,       // GET /api/overview
    queries,        // GET /api/queries
    reset_queries,  // POST /api/queries/reset
    sessions,       // GET /api/sessions
};

// A request for it by somebody who may.
struct ApiCall {
    Api what = Api::overview;
    std::string query{};   // what stood behind the '?', as it came
    std::string caller{};  // address, or "unix"
};

// Called on the server's thread, never on a worker. An empty function or one that throws makes a 500 of its path.
struct Handlers {
    std::function<std::string()> metrics;  // /metrics: text exposition; once for all requests that are there together
    std::function<Health()> healthy;       // /healthz
    std::function<Health()> ready;         // /readyz: starting, draining, no listener
    // May take its time, during which others are answered. The call outlives it, and what it refers to the server.
    std::function<boost::asio::awaitable<Answer>(const ApiCall& call)> api;
};

// What matters of a request, as it came: the peer may have written anything.
struct Request {
    std::string_view method, target;
    std::string_view authorization{};
    std::string_view caller{};  // its address, or "unix"
    bool is_trusted = false;    // it came by the Unix socket, whose file mode says who may
};

// `token` is what /api/ asks for, and empty where nobody is answered there who is not trusted. An ApiCall
// is for the handler. Never throws, save bad_alloc.
std::variant<Answer, ApiCall> answer(const Request& request, const Handlers& handlers, const Secret& token);

// Healthy where every worker's loop came round within `limit`. A worker that has not yet (nullopt) counts as hanging.
Health loops_healthy(const std::vector<std::optional<TimePoint>>& last_ticks, TimePoint now, Milliseconds limit);

}  // namespace pgsluice::http
