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
    if (!admin.is_on()) {
        endpoint_note_.remove();
        return std::nullopt;
    }
    http::ServerOptions options;
    options.address = admin.address;
    options.port = admin.port;
    options.unix_path = admin.unix_path;
    options.unix_mode = admin.unix_mode;
    api_ = std::make_unique<Api>(process_, workers);
    http::Handlers handlers;
    handlers.metrics = [this] { return registry_.exposition(std::chrono::steady_clock::now()); };
    handlers.healthy = [this] { return health(); };
    handlers.ready = [this] { return readiness(); };
    handlers.api = [this](const http::ApiCall& call) { return api_->answer(call); };
    auto server = http::Server::start(options, std::move(handlers), credentials_of(*snapshot_));
    if (!server) return server.error().text + " (admin.http)";
    http_ = std::move(*server);
    note_endpoint();
    if (!admin.address.empty()) {
        log::info("http_listening", admin.address + ':' + std::to_string(http_->port()),
                  {{"port", static_cast<std::int64_t>(http_->port())}});
    }
    if (!admin.unix_path.empty()) log::info("http_listening", admin.unix_path);
    return std::nullopt;
}

void Supervisor::renew_http_credentials() {
    if (http_ == nullptr) return;
    http_->set_credentials(credentials_of(*snapshot_));
    note_endpoint();
}

void Supervisor::note_endpoint() {
    http::Endpoint endpoint = endpoint_of(snapshot_->config.admin_http);
    endpoint.port = http_->port();
    endpoint_note_.write(endpoint);
}

// Whoever comes while all is suspended or paused waits, and may wait for longer than query_wait_timeout: others may
// serve him meanwhile.
http::Health Supervisor::readiness() const {
    const Phase phase = phase_;
    if (phase == Phase::starting) return {false, "starting"};
    if (phase != Phase::serving) return {false, "draining"};
    const Gates::State gates = process_.gates.state();
    if (gates.suspended) return {false, "suspended"};
    if (gates.all_paused) return {false, "paused"};
    return {true, "ok"};
}

http::Health Supervisor::health() const {
    return http::loops_healthy(registry_.last_ticks(), std::chrono::steady_clock::now(), loop_limit);
}

}  // namespace pgsluice::daemon
