// A new configuration: out of the files, or with one key changed by the console.
#include "auth_query.hpp"
#include "load_configuration.hpp"
#include "notify.hpp"
#include "supervisor.hpp"

#include <pgsluice/base/log.hpp>
#include <pgsluice/config/keep.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <set>

namespace pgsluice::daemon {
namespace {

std::int64_t unix_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

// The least time there is where the file is not there.
std::filesystem::file_time_type time_of(const std::string& file) {
    std::error_code error;
    return std::filesystem::last_write_time(file, error);
}

}  // namespace

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
    config::Loaded loaded = load_configuration(snapshot_->config.path);
    for (const auto& warning : loaded.warnings) log::warning("configuration_warning", warning.to_string());
    if (!loaded) {
        std::vector<std::string> problems;
        for (const auto& problem : loaded.problems) problems.push_back(problem.to_string());
        fail_reload(problems);
        return;
    }
    config::Config config = std::move(*loaded.config);
    for (const std::string& waiting : config::keep_until_restart(snapshot_->config, config))
        log::warning("configuration_warning", waiting);
    auto built = Snapshot::build(std::move(config), snapshot_.get());
    if (const auto* problems = std::get_if<std::vector<std::string>>(&built)) {
        fail_reload(*problems);
        return;
    }
    const auto& snapshot = std::get<std::shared_ptr<const Snapshot>>(built);
    if (const error_code error = audit_.apply(snapshot->config.audit)) {
        const std::string& file = snapshot->config.audit.file;
        fail_reload({"audit.file: could not open " + file + ": " + error.message()});
        return;
    }
    install(snapshot, [this] {
        registry_.process().reloads[metrics::Outcome::success].add();
        note_loaded();
        log::write_audited(log::Level::info, "reload_succeeded", "the new configuration is in force");
        notify::ready();
    });
}

void Supervisor::install(std::shared_ptr<const Snapshot> snapshot, std::function<void()> in_force) {
    snapshot_ = std::move(snapshot);
    if (const error_code error = log_.apply(snapshot_->config.log)) {
        log::error("log_file_failed", error.message());
    }
    registry_.set_max_series(snapshot_->config.metrics_max_series);
    std::set<std::string> queries;
    for (const config::AuthQuery* query : snapshot_->auth_queries()) queries.insert(key_of(*query));
    process_.lookups.keep_only(queries);
    const auto left = std::make_shared<std::atomic<std::size_t>>(workers_.size());
    const auto taken = [this, left, in_force = std::move(in_force)] {
        if (--*left == 0) boost::asio::post(io_, in_force);
    };
    for (auto& worker : workers_) {
        worker->post([target = worker.get(), installed = snapshot_, taken] {
            target->publish(installed);
            taken();
        });
    }
    show_certificates();
    renew_http_credentials();
    watch_files();
}

void Supervisor::note_loaded() {
    auto& process = registry_.process();
    process.last_reload_succeeded.set(1);
    process.configuration_loaded_at.set(unix_seconds());
    process.loose_secret_files.set(snapshot_->config.loose_secret_files);
}

// --- SET of the console ----------------------------------------------------------------------------------------------

void Supervisor::set(std::string key, std::string value, std::function<void(std::optional<config::NotSet>)> then) {
    boost::asio::post(io_, [this, key = std::move(key), value = std::move(value), then = std::move(then)] {
        const auto in_force = [key, value, then] {
            log::write_audited(log::Level::info, "setting_changed",
                               "a key has another value until the configuration is read again",
                               {{"key", key}, {"value", value}});
            then(std::nullopt);
        };
        if (auto refused = change(key, value, in_force)) then(std::move(refused));
    });
}

std::optional<config::NotSet> Supervisor::change(const std::string& key, const std::string& value,
                                                 std::function<void()> in_force) {
    auto changed = config::set(snapshot_->config, key, value);
    if (auto* refused = std::get_if<config::NotSet>(&changed)) return std::move(*refused);
    auto built = Snapshot::build(std::get<config::Config>(std::move(changed)), snapshot_.get());
    if (const auto* problems = std::get_if<std::vector<std::string>>(&built)) {
        return config::NotSet{config::NotSet::Why::bad_value, problems->front()};
    }
    install(std::get<std::shared_ptr<const Snapshot>>(std::move(built)), std::move(in_force));
    return std::nullopt;
}

// --- Watching the files ----------------------------------------------------------------------------------------------

// Kubernetes and certificate renewers replace files without a word: their times are compared.
void Supervisor::watch_files() {
    const auto known = std::exchange(watched_, {});
    next_watch_ = never;
    if (!snapshot_->config.reload_watch) return;
    next_watch_ = std::chrono::steady_clock::now() + watch_interval;
    for (const std::string& file : snapshot_->config.files) {
        const auto found = known.find(file);
        watched_[file] = found == known.end() ? time_of(file) : found->second;
    }
}

bool Supervisor::files_have_changed() const {
    return std::any_of(watched_.begin(), watched_.end(),
                       [](const auto& file) { return time_of(file.first) != file.second; });
}

}  // namespace pgsluice::daemon
