// The endpoint of metrics, health and the API.
#include "supervisor.hpp"

#include <pgsluice/base/log.hpp>

namespace pgsluice::daemon {
namespace {

// A worker whose loop has not come round for so long hangs.
constexpr Milliseconds loop_limit{5000};

http::Credentials credentials_of(const Snapshot& snapshot) {
    return {.token = snapshot.config.admin_http.token, .tls = snapshot.http_tls};
}

}  // namespace

std::optional<std::string> Supervisor::open_http(const std::vector<Worker*>& workers) {
    const config::AdminHttp& admin = snapshot_->config.admin_http;
    if (!admin.is_on()) return std::nullopt;
    http::ServerOptions options;
    options.address = admin.address;
    options.port = admin.port;
    options.unix_path = admin.unix_path;
    options.unix_mode = admin.unix_mode;
    api_ = std::make_unique<Api>(process_, workers);
    http::Handlers handlers;
    handlers.metrics = [this] { return registry_.exposition(std::chrono::steady_clock::now()); };
    handlers.healthy = [this] { return health(); };
    handlers.ready = [this] {
        const Phase phase = phase_;
        if (phase == Phase::serving) return http::Health{true, "ok"};
        return http::Health{false, phase == Phase::starting ? "starting" : "draining"};
    };
    handlers.api = [this](const http::ApiCall& call) { return api_->answer(call); };
    auto server = http::Server::start(options, std::move(handlers), credentials_of(*snapshot_));
    if (!server) return server.error().text + " (admin.http)";
    http_ = std::move(*server);
    if (!admin.address.empty()) {
        log::info("http_listening", admin.address + ':' + std::to_string(http_->port()),
                  {{"port", static_cast<std::int64_t>(http_->port())}});
    }
    if (!admin.unix_path.empty()) log::info("http_listening", admin.unix_path);
    return std::nullopt;
}

void Supervisor::renew_http_credentials() {
    if (http_ != nullptr) http_->set_credentials(credentials_of(*snapshot_));
}

http::Health Supervisor::health() const {
    return http::loops_healthy(registry_.last_ticks(), std::chrono::steady_clock::now(), loop_limit);
}

}  // namespace pgsluice::daemon
