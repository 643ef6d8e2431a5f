#include "overview.hpp"

#include "console_commands.hpp"

#include <pgsluice/admin/overview.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace pgsluice::daemon {
namespace {

namespace asio = boost::asio;
constexpr auto as_tuple_deferred = asio::as_tuple(asio::deferred);

std::int64_t unix_micros() {
    return std::chrono::duration_cast<Microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::vector<admin::UpstreamView> upstreams_of(Process& process, const config::Config& config) {
    const TimePoint now = std::chrono::steady_clock::now();
    std::vector<admin::UpstreamView> upstreams;
    for (const config::Cluster& cluster : config.clusters) {
        for (const config::Endpoint& server : cluster.servers) {
            const auto upstream = process.upstream(cluster.name, server);
            upstreams.push_back({cluster.name, server.host, server.port, upstream->open(), upstream->is_down(now)});
        }
    }
    return upstreams;
}

}  // namespace

// The parts that have come. The HTTP server's thread only: workers hold it weakly and post what they have there, since
// the timer must not outlive the loop that it belongs to.
struct Overview::Gathering {
    Gathering(const asio::any_io_executor& executor, std::size_t workers)
        : complete(executor), has_answered(workers, false) {}

    void take(std::size_t worker, admin::View part, std::shared_ptr<const Snapshot> newest) {
        has_answered[worker] = true;
        view.add(std::move(part));
        snapshot = std::move(newest);
        if (is_complete()) complete.cancel();
    }
    bool is_complete() const {
        return std::find(has_answered.begin(), has_answered.end(), false) == has_answered.end();
    }

    asio::steady_timer complete;
    std::vector<bool> has_answered;
    admin::View view;
    std::shared_ptr<const Snapshot> snapshot;
};

Overview::Overview(Process& process, std::vector<Worker*> workers)
    : process_(process),
      workers_(std::move(workers)),
      started_(std::chrono::steady_clock::now()),
      started_at_(unix_micros()) {}

asio::awaitable<http::Answer> Overview::answer() {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const auto gathering = std::make_shared<Gathering>(executor, workers_.size());
    gathering->complete.expires_after(patience);
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        Worker* const worker = workers_[i];
        worker->post([worker, i, executor, asked_by = std::weak_ptr(gathering)] {
            if (asked_by.expired()) return;  // nobody waits for it any more
            auto part = [i, asked_by, view = worker->view(false), snapshot = worker->snapshot()]() mutable {
                const auto waiting = asked_by.lock();
                if (waiting != nullptr) waiting->take(i, std::move(view), std::move(snapshot));
            };
            asio::post(executor, std::move(part));
        });
    }
    co_await gathering->complete.async_wait(as_tuple_deferred);
    co_return answer_of(*gathering);
}

http::Answer Overview::answer_of(const Gathering& gathering) const {
    if (!gathering.is_complete()) {
        http::Answer late{.status = 503};
        for (std::size_t i = 0; i < workers_.size(); ++i) {
            if (gathering.has_answered[i]) continue;
            late.body += (late.body.empty() ? "worker " : "; worker ") + std::to_string(i) + " did not answer in time";
        }
        late.body += '\n';
        return late;
    }
    const auto uptime = std::chrono::steady_clock::now() - started_;
    const metrics::Summary counted = process_.metrics.summary();
    const admin::Scene scene = scene_of(process_, gathering.view, *gathering.snapshot);
    const admin::OverviewFacts facts{.scene = scene,
                                     .counted = counted,
                                     .upstreams = upstreams_of(process_, gathering.snapshot->config),
                                     .workers = workers_.size(),
                                     .started_at = started_at_,
                                     .now = unix_micros(),
                                     .uptime = std::chrono::duration_cast<Microseconds>(uptime).count()};
    return {.content_type = "application/json", .body = admin::overview(facts) + '\n'};
}

}  // namespace pgsluice::daemon
