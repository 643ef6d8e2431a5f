// The life of the daemon, on the main thread: opens the listeners, starts the workers, answers signals, reloads,
// drains, feeds systemd's watchdog. Nothing here is on the path of a query.
#pragma once

#include "api.hpp"
#include "audit_log.hpp"
#include "endpoint_note.hpp"
#include "log_backend.hpp"
#include "orders.hpp"
#include "process.hpp"
#include "snapshot.hpp"
#include "worker.hpp"

#include <pgsluice/http/server.hpp>
#include <pgsluice/metrics/registry.hpp>
#include <pgsluice/net/listener.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pgsluice::daemon {

class Supervisor final : private Orders {
  public:
    // What cannot be undone by an error later stands outside: logs and registry outlive everything.
    Supervisor(std::shared_ptr<const Snapshot> snapshot, metrics::Registry& registry, LogBackend& log, AuditLog& audit);
    ~Supervisor();

    // Opens everything. An error text where that is not possible.
    std::optional<std::string> start();
    // Returns when a signal has ended the daemon.
    void run();

  private:
    std::optional<std::string> open_listeners();
    std::optional<std::string> open_console_socket();
    std::optional<std::string> open_http(const std::vector<Worker*>& workers);
    void renew_http_credentials();
    void note_endpoint();
    void wait_for_signal();
    void on_signal(int number);
    void reload();
    // `in_force` is called on this thread once every worker has taken the snapshot: nothing says so before.
    void install(std::shared_ptr<const Snapshot> snapshot, std::function<void()> in_force);
    // What is wrong with it; nullopt: it is installed.
    std::optional<config::NotSet> change(const std::string& key, const std::string& value,
                                         std::function<void()> in_force);
    void set(std::string key, std::string value, std::function<void(std::optional<config::NotSet>)> then) override;
    void fail_reload(const std::vector<std::string>& problems);
    // How clients leave: by themselves, whenever that is, or at the end of their transactions.
    enum class Leave : std::uint8_t { by_themselves, after_transactions };
    void begin_shutdown(Leave how);
    void close_listeners();
    void drain();
    void end_without_clients() override;
    void poll();
    void watch_files();
    bool files_have_changed() const;
    void note_loaded();
    http::Health health() const;
    http::Health readiness() const;
    void show_certificates();

    static constexpr Milliseconds watch_interval{1000};

    boost::asio::io_context io_{1};
    std::shared_ptr<const Snapshot> snapshot_;
    metrics::Registry& registry_;
    LogBackend& log_;
    AuditLog& audit_;
    EndpointNote endpoint_note_;
    Process process_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<net::UnixAddress> unix_addresses_;
    std::unique_ptr<Api> api_;  // what http_ asks
    std::unique_ptr<http::Server> http_;
    boost::asio::signal_set signals_;
    boost::asio::steady_timer timer_;
    std::map<std::string, std::filesystem::file_time_type> watched_;

    enum class Phase : std::uint8_t { starting, serving, delaying, draining, stopped };
    std::atomic<Phase> phase_{Phase::starting};
    Leave leave_ = Leave::after_transactions;
    TimePoint phase_ends_ = never;
    TimePoint logins_end_ = never;
    TimePoint next_watchdog_ = never;
    TimePoint next_watch_ = never;
};

}  // namespace pgsluice::daemon
