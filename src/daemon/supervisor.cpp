#include "supervisor.hpp"

#include "descriptor_need.hpp"
#include "notify.hpp"

#include <pgsluice/base/log.hpp>
#include <pgsluice/config/load.hpp>
#include <pgsluice/net/descriptor_limit.hpp>

#include <boost/asio/post.hpp>
#include <sched.h>

#include <algorithm>
#include <csignal>
#include <fstream>

namespace pgsluice::daemon {
namespace {

constexpr Milliseconds poll_interval{100};
constexpr Milliseconds watch_interval{1000};
// A worker whose loop has not come round for so long hangs.
constexpr Milliseconds loop_limit{5000};

// Processors that this process may use: its affinity, and the quota of its control group.
std::size_t usable_processors() {
    cpu_set_t set;
    CPU_ZERO(&set);
    std::size_t count = 1;
    if (sched_getaffinity(0, sizeof set, &set) == 0) count = static_cast<std::size_t>(std::max(1, CPU_COUNT(&set)));
    double quota = 0, period = 0;
    if (std::ifstream unified("/sys/fs/cgroup/cpu.max"); unified >> quota >> period) {
        // "max 100000" fails to read as a number, and means no quota.
    } else {
        std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") >> quota;
        std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_period_us") >> period;
    }
    if (quota > 0 && period > 0) {
        count = std::min(count, static_cast<std::size_t>(std::max(1.0, quota / period + 0.5)));
    }
    return count;
}

std::string place_of(const config::Listener& listener) {
    return listener.address + '|' + listener.unix_directory + '|' + std::to_string(listener.port) + '|' +
           std::to_string(listener.unix_mode);
}

bool same_places(const std::vector<config::Listener>& a, const std::vector<config::Listener>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const auto& x, const auto& y) { return place_of(x) == place_of(y); });
}

std::int64_t unix_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

TimePoint now() {
    return std::chrono::steady_clock::now();
}

// The least time there is where the file is not there.
std::filesystem::file_time_type time_of(const std::string& file) {
    std::error_code error;
    return std::filesystem::last_write_time(file, error);
}

}  // namespace

Supervisor::Supervisor(std::shared_ptr<const Snapshot> snapshot, metrics::Registry& registry, LogBackend& log)
    : snapshot_(std::move(snapshot)),
      registry_(registry),
      log_(log),
      process_(registry, snapshot_->config.workers != 0 ? snapshot_->config.workers : usable_processors()),
      signals_(io_),
      timer_(io_) {
    process_.orders = this;
}

Supervisor::~Supervisor() {
    http_.reset();
    for (auto& worker : workers_) worker->stop();
    process_.helpers.join();
}

std::optional<std::string> Supervisor::start() {
    std::signal(SIGPIPE, SIG_IGN);
    const DescriptorNeed need = descriptor_need(snapshot_->config);
    const auto limit = net::raise_descriptor_limit(need.at_least);
    if (!limit.enough) {
        return "limits.client_connections and the pools need " + std::to_string(need.at_least) + " file descriptors" +
               (need.at_most == need.at_least ? "" : " or more") + ", and the hard limit is " +
               std::to_string(limit.hard) +
               ": raise RLIMIT_NOFILE (LimitNOFILE= in the unit) or lower limits.client_connections";
    }
    for (const int number : {SIGHUP, SIGTERM, SIGINT, SIGQUIT}) signals_.add(number);
    std::vector<Worker*> all;
    for (std::size_t i = 0; i < process_.workers; ++i) {
        workers_.push_back(std::make_unique<Worker>(process_, static_cast<WorkerIndex>(i), snapshot_));
        all.push_back(workers_.back().get());
    }
    for (auto& worker : workers_) worker->set_siblings(all);
    if (auto problem = open_listeners()) return problem;
    if (auto problem = open_http()) return problem;
    for (auto& worker : workers_) worker->start();
    show_certificates();
    auto& process = registry_.process();
    process.configuration_loaded_at.set(unix_seconds());
    process.last_reload_succeeded.set(1);
    process.loose_secret_files.set(snapshot_->config.loose_secret_files);
    phase_ = Phase::serving;
    if (const auto interval = notify::watchdog_interval(); interval.count() > 0) next_watchdog_ = now();
    watch_files();
    using Value = decltype(log::Field::value);
    log::info("started", "ready for clients",
              {{"workers", static_cast<std::int64_t>(process_.workers)},
               {"descriptors_at_least", static_cast<std::int64_t>(need.at_least)},
               {"descriptors_at_most",
                need.at_most ? Value(static_cast<std::int64_t>(*need.at_most)) : Value("any number")}});
    notify::ready();
    return std::nullopt;
}

std::optional<std::string> Supervisor::open_listeners() {
    const auto& config = snapshot_->config;
    for (std::size_t i = 0; i < config.listeners.size(); ++i) {
        const config::Listener& listener = config.listeners[i];
        if (!listener.unix_directory.empty()) {
            auto address = net::UnixAddress::listen(listener.unix_directory, listener.port,
                                                    static_cast<mode_t>(listener.unix_mode));
            if (!address) return address.error().text;
            log::info("listening", address->path());
            workers_[0]->listen(address->open(), i, true);
            unix_addresses_.push_back(std::move(*address));
            continue;
        }
        auto address = net::TcpAddress::listen(listener.address, listener.port, workers_[0]->socket_options());
        if (!address) return address.error().text;
        for (auto& worker : workers_) {
            auto socket = address->open();
            if (!socket) return socket.error().text;
            worker->listen(std::move(*socket), i, false);
        }
        const std::string place = listener.address + ':' + std::to_string(address->port());
        log::info("listening", place, {{"port", static_cast<std::int64_t>(address->port())}});
    }
    return std::nullopt;
}

std::optional<std::string> Supervisor::open_http() {
    const config::AdminHttp& admin = snapshot_->config.admin_http;
    if (admin.address.empty()) return std::nullopt;
    http::ServerOptions options;
    options.address = admin.address;
    options.port = admin.port;
    http::Handlers handlers;
    handlers.metrics = [this] { return registry_.exposition(now()); };
    handlers.healthy = [this] { return health(); };
    handlers.ready = [this] {
        const Phase phase = phase_;
        if (phase == Phase::serving) return http::Health{true, "ok"};
        return http::Health{false, phase == Phase::starting ? "starting" : "draining"};
    };
    auto server = http::Server::start(options, std::move(handlers));
    if (!server) {
        return "could not listen on " + admin.address + ':' + std::to_string(admin.port) +
               " (admin.http): " + server.error().message();
    }
    http_ = std::move(*server);
    log::info("http_listening", admin.address + ':' + std::to_string(http_->port()),
              {{"port", static_cast<std::int64_t>(http_->port())}});
    return std::nullopt;
}

http::Health Supervisor::health() const {
    return http::loops_healthy(registry_.last_ticks(), now(), loop_limit);
}

void Supervisor::show_certificates() {
    registry_.set_certificates(snapshot_->certificates());
}

void Supervisor::run() {
    wait_for_signal();
    poll();
    io_.run();
}

void Supervisor::wait_for_signal() {
    signals_.async_wait([this](const error_code& error, int number) {
        if (error) return;
        wait_for_signal();
        on_signal(number);
    });
}

void Supervisor::on_signal(int number) {
    if (number == SIGHUP) {
        reload();
    } else if (number != SIGQUIT && phase_ == Phase::serving) {
        begin_shutdown(Leave::after_transactions);
    } else if (number != SIGQUIT && leave_ == Leave::by_themselves) {
        log::info("shutdown_started", "clients are no longer waited for: open transactions may end");
        leave_ = Leave::after_transactions;
        notify::stopping();
        if (phase_ == Phase::draining) drain();
    } else {
        log::info("shutdown_started", "stopping at once");
        notify::stopping();
        phase_ = Phase::stopped;
        io_.stop();
    }
}

// --- Reload ----------------------------------------------------------------------------------------------------------

void Supervisor::fail_reload(const std::vector<std::string>& problems) {
    for (const std::string& problem : problems) log::error("reload_failed", problem);
    registry_.process().reloads[metrics::Outcome::failure].add();
    registry_.process().last_reload_succeeded.set(0);
    notify::ready();
}

void Supervisor::reload() {
    notify::reloading();
    // Before they are read: what changes meanwhile is noticed, and what is wrong is told once.
    for (auto& [file, written] : watched_) written = time_of(file);
    config::Loaded loaded = config::load(snapshot_->config.path);
    for (const auto& warning : loaded.warnings) log::warning("configuration_warning", warning.to_string());
    if (!loaded) {
        std::vector<std::string> problems;
        for (const auto& problem : loaded.problems) problems.push_back(problem.to_string());
        fail_reload(problems);
        return;
    }
    config::Config config = std::move(*loaded.config);
    if (!same_places(config.listeners, snapshot_->config.listeners)) {
        log::warning("configuration_warning", "listeners have changed: their addresses change at a restart only");
        config.listeners = snapshot_->config.listeners;
    }
    if (config.workers != snapshot_->config.workers) {
        log::warning("configuration_warning", "workers has changed: it changes at a restart only");
    }
    auto built = Snapshot::build(std::move(config));
    if (const auto* problems = std::get_if<std::vector<std::string>>(&built)) {
        fail_reload(*problems);
        return;
    }
    snapshot_ = std::get<std::shared_ptr<const Snapshot>>(std::move(built));
    if (const error_code error = log_.apply(snapshot_->config.log)) {
        log::error("log_file_failed", error.message());
    }
    registry_.set_max_series(snapshot_->config.metrics_max_series);
    for (auto& worker : workers_) {
        worker->post([target = worker.get(), snapshot = snapshot_] { target->publish(snapshot); });
    }
    show_certificates();
    watch_files();
    auto& process = registry_.process();
    process.reloads[metrics::Outcome::success].add();
    process.last_reload_succeeded.set(1);
    process.configuration_loaded_at.set(unix_seconds());
    process.loose_secret_files.set(snapshot_->config.loose_secret_files);
    log::info("reload_succeeded", "the new configuration is in force");
    notify::ready();
}

// Kubernetes and certificate renewers replace files without a word: their times are compared.
void Supervisor::watch_files() {
    const auto known = std::exchange(watched_, {});
    next_watch_ = never;
    if (!snapshot_->config.reload_watch) return;
    next_watch_ = now() + watch_interval;
    for (const std::string& file : snapshot_->config.files) {
        const auto found = known.find(file);
        watched_[file] = found == known.end() ? time_of(file) : found->second;
    }
}

// --- Shutdown --------------------------------------------------------------------------------------------------------

void Supervisor::begin_shutdown(Leave how) {
    const auto delay = snapshot_->config.shutdown.delay;
    const double delay_seconds = std::chrono::duration<double>(delay).count();
    leave_ = how;
    if (how == Leave::by_themselves) {
        // systemd is not told: from then on it gives the process TimeoutStopSec.
        log::info("shutdown_started", "shutting down: every client may stay until it leaves",
                  {{"delay_seconds", delay_seconds}});
        notify::status("ends when every client has left");
    } else {
        log::info("shutdown_started", "shutting down: open transactions may end",
                  {{"delay_seconds", delay_seconds},
                   {"timeout_seconds", std::chrono::duration<double>(snapshot_->config.shutdown.timeout).count()}});
        notify::stopping();
    }
    phase_ = Phase::delaying;
    phase_ends_ = now() + delay;
    if (delay.count() == 0) close_listeners();
}

void Supervisor::close_listeners() {
    phase_ = Phase::draining;
    phase_ends_ = never;
    process_.draining = true;
    unix_addresses_.clear();
    for (auto& worker : workers_) {
        worker->post([target = worker.get()] { target->stop_listening(); });
    }
    if (leave_ == Leave::after_transactions) drain();
}

void Supervisor::drain() {
    phase_ends_ = now() + snapshot_->config.shutdown.timeout;
    for (auto& worker : workers_) {
        worker->post([target = worker.get()] { target->drain(); });
    }
}

void Supervisor::end_without_clients() {
    boost::asio::post(io_, [this] {
        if (phase_ == Phase::serving) begin_shutdown(Leave::by_themselves);
    });
}

void Supervisor::poll() {
    const TimePoint at = now();
    if (phase_ == Phase::delaying && at >= phase_ends_) close_listeners();
    if (phase_ == Phase::draining) {
        const bool empty = process_.clients.clients() <= process_.consoles;
        if (empty || at >= phase_ends_) {
            log::info("shutdown_finished", empty ? "every client has gone" : "shutdown.timeout has passed");
            phase_ = Phase::stopped;
            io_.stop();
            return;
        }
    }
    if (at >= next_watchdog_ && health().ok) {
        notify::watchdog();
        next_watchdog_ = at + notify::watchdog_interval();
    }
    if (at >= next_watch_) {
        next_watch_ = at + watch_interval;
        const bool changed = std::any_of(watched_.begin(), watched_.end(),
                                         [](const auto& file) { return time_of(file.first) != file.second; });
        if (changed) reload();
    }
    timer_.expires_after(poll_interval);
    timer_.async_wait([this](const error_code& error) {
        if (!error) poll();
    });
}

}  // namespace pgsluice::daemon
