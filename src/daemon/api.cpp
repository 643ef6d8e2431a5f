#include "api.hpp"

#include "console_commands.hpp"
#include "gather.hpp"

#include <pgsluice/admin/overview.hpp>
#include <pgsluice/admin/queries.hpp>
#include <pgsluice/admin/sessions.hpp>
#include <pgsluice/base/log.hpp>

#include <utility>
#include <variant>

namespace pgsluice::daemon {
namespace {

namespace asio = boost::asio;

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

struct ViewPart {
    admin::View view;
    std::shared_ptr<const Snapshot> snapshot;
};

struct QueriesPart {
    insight::Picture picture;
    std::size_t capacity = 0;
};

ViewPart view_of(Worker& worker) {
    return {worker.view(admin::Look::usual), worker.snapshot()};
}

QueriesPart queries_of(Worker& worker) {
    return {worker.queries().picture(), worker.queries().capacity()};
}

std::size_t forget_queries(Worker& worker) {
    const std::size_t known = worker.queries().size();
    worker.queries().reset();
    return known;
}

admin::View merged(Parts<ViewPart> parts) {
    admin::View all;
    for (std::optional<ViewPart>& part : parts) all.add(std::move(part->view));
    return all;
}

http::Answer json(std::string body) {
    return {.content_type = "application/json", .body = std::move(body) + '\n'};
}

}  // namespace

Api::Api(Process& process, std::vector<Worker*> workers)
    : process_(process),
      workers_(std::move(workers)),
      started_(std::chrono::steady_clock::now()),
      started_at_(unix_micros()) {}

asio::awaitable<http::Answer> Api::answer(const http::ApiCall& call) {
    switch (call.what) {
        case http::Api::overview: co_return co_await overview();
        case http::Api::queries: co_return co_await queries(call.query);
        case http::Api::reset_queries: co_return co_await reset_queries(call.caller);
        case http::Api::sessions: co_return co_await sessions();
    }
    co_return http::Answer{.status = 404};
}

asio::awaitable<http::Answer> Api::overview() {
    Parts<ViewPart> parts = co_await gather(workers_, view_of, patience);
    if (auto late = late_answer(parts)) co_return std::move(*late);
    const std::shared_ptr<const Snapshot> newest = parts.back()->snapshot;
    const admin::View view = merged(std::move(parts));
    co_return json(overview_of(view, *newest));
}

std::string Api::overview_of(const admin::View& view, const Snapshot& snapshot) const {
    const auto uptime = std::chrono::steady_clock::now() - started_;
    const metrics::Summary counted = process_.metrics.summary();
    const admin::Scene scene = scene_of(process_, view, snapshot);
    return admin::overview({.scene = scene,
                            .counted = counted,
                            .upstreams = upstreams_of(process_, snapshot.config),
                            .workers = workers_.size(),
                            .started_at = started_at_,
                            .now = unix_micros(),
                            .uptime = std::chrono::duration_cast<Microseconds>(uptime).count()});
}

asio::awaitable<http::Answer> Api::queries(const std::string& query) {
    const auto read = admin::read_queries_wanted(query);
    if (const auto* wrong = std::get_if<std::string>(&read)) {
        co_return http::Answer{.status = 400, .body = *wrong + '\n'};
    }
    Parts<QueriesPart> parts = co_await gather(workers_, queries_of, patience);
    if (auto late = late_answer(parts)) co_return std::move(*late);
    const std::size_t capacity = parts.back()->capacity;
    std::vector<insight::Picture> pictures;
    for (std::optional<QueriesPart>& part : parts) pictures.push_back(std::move(part->picture));
    const insight::Picture picture = insight::merge(std::move(pictures));
    co_return json(
        admin::queries({.picture = picture, .max_queries = capacity, .wanted = std::get<admin::QueriesWanted>(read)}));
}

asio::awaitable<http::Answer> Api::reset_queries(const std::string& caller) {
    const Parts<std::size_t> parts = co_await gather(workers_, forget_queries, patience);
    log::write_audited(log::Level::info, "queries_reset", "the statistics of queries begin anew",
                       {{"address", caller}});
    if (auto late = late_answer(parts)) co_return std::move(*late);
    co_return http::Answer{.body = "reset\n"};
}

asio::awaitable<http::Answer> Api::sessions() {
    Parts<ViewPart> parts = co_await gather(workers_, view_of, patience);
    if (auto late = late_answer(parts)) co_return std::move(*late);
    const admin::View view = merged(std::move(parts));
    co_return json(admin::sessions(view, unix_micros()));
}

}  // namespace pgsluice::daemon
