#include "supervisor.hpp"

#include "account_names.hpp"
#include "descriptor_need.hpp"
#include "notify.hpp"
#include "processors.hpp"
#include "runtime_folder.hpp"

#include <pgsluice/base/log.hpp>
#include <pgsluice/net/descriptor_limit.hpp>
#include <pgsluice/net/shared_lookups.hpp>

#include <boost/asio/post.hpp>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace pgsluice::daemon {
namespace {

constexpr Milliseconds poll_interval{100};
// Clients that an audit log without room holds up are let go so long before shutdown.timeout cuts them off, or in the
// middle of a shorter one.
constexpr Milliseconds time_to_leave{5000};
// Whoever is logging in is told that the process ends, as soon as it says anything. One that stays silent is not waited
// for any longer than this.
constexpr Milliseconds time_to_log_in{2000};

TimePoint now() {
    return std::chrono::steady_clock::now();
}

}  // namespace

Supervisor::Supervisor(std::shared_ptr<const Snapshot> snapshot, metrics::Registry& registry, LogBackend& log,
                       AuditLog& audit)
    : snapshot_(std::move(snapshot)),
      registry_(registry),
      log_(log),
      audit_(audit),
      endpoint_note_(snapshot_->config.path),
      process_(registry, snapshot_->config.workers != 0 ? snapshot_->config.workers : usable_processors()),
      signals_(io_),
      timer_(io_) {
    process_.orders = this;
    // What changes before everything has been opened counts as well.
    watch_files();
}

// Workers may still post to the HTTP server while they stop: it goes behind them. None of them may wait for a disk any
// more.
Supervisor::~Supervisor() {
    audit_.stop_waiting_at(now());
    if (http_ != nullptr) http_->stop();
    for (auto& worker : workers_) worker->stop();
    // What they have not begun is dropped: nobody waits for it any more.
    process_.helpers.stop();
    process_.helpers.join();
    // What is still being looked up comes to nobody: the loops go now.
    net::forget_lookups();
    forget_account_names();
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
    if (auto problem = open_console_socket()) return problem;
    if (auto problem = open_http(all)) return problem;
    for (auto& worker : workers_) worker->start();
    show_certificates();
    note_loaded();
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

std::optional<std::string> Supervisor::open_console_socket() {
    std::string folder = snapshot_->config.console.unix_directory;
    if (folder == config::AdminConsole::automatic) {
        folder = runtime_folder();
        if (!folder.empty()) folder += "/console";
    }
    if (folder.empty()) return std::nullopt;
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
        return "could not make the folder " + folder + " (admin.console.unix): " + std::strerror(errno);
    constexpr std::uint16_t libpqs_port = 5432;
    auto address = net::UnixAddress::listen(folder, libpqs_port, 0600);
    if (!address) return address.error().text + " (admin.console.unix)";
    log::info("listening", address->path());
    workers_[0]->listen(address->open(), console_socket, true);
    unix_addresses_.push_back(std::move(*address));
    return std::nullopt;
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
    logins_end_ = now() + time_to_log_in;
    process_.draining = true;
    // Nobody could leave.
    process_.gates.end_suspension();
    unix_addresses_.clear();
    for (auto& worker : workers_) {
        worker->post([target = worker.get()] {
            target->stop_listening();
            target->obey_gates();
        });
    }
    if (leave_ == Leave::after_transactions) drain();
}

void Supervisor::drain() {
    const Milliseconds timeout = snapshot_->config.shutdown.timeout;
    phase_ends_ = deadline(now(), timeout);
    if (phase_ends_ != never) audit_.stop_waiting_at(phase_ends_ - std::min(time_to_leave, timeout / 2));
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
        const ClientLimits& clients = process_.clients;
        const bool empty = clients.clients() == 0 || (clients.sessions() == 0 && at >= logins_end_);
        if (empty || at >= phase_ends_) {
            log::info("shutdown_finished", empty ? "every client has gone" : "shutdown.timeout has passed");
            phase_ = Phase::stopped;
            io_.stop();
            return;
        }
    }
    audit_.report_lost(at);
    if (at >= next_watchdog_ && health().ok) {
        notify::watchdog();
        next_watchdog_ = at + notify::watchdog_interval();
    }
    if (at >= next_watch_) {
        next_watch_ = at + watch_interval;
        if (files_have_changed()) reload();
    }
    timer_.expires_after(poll_interval);
    timer_.async_wait([this](const error_code& error) {
        if (!error) poll();
    });
}

}  // namespace pgsluice::daemon
