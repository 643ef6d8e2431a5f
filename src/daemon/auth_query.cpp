#include "auth_query.hpp"

#include "server_attempt.hpp"
#include "worker.hpp"

#include <pgsluice/base/escape.hpp>
#include <pgsluice/net/asio.hpp>

#include <algorithm>
#include <charconv>

namespace pgsluice::daemon {
namespace {

constexpr Milliseconds keep_idle{60000};
constexpr std::size_t cache_limit = 10000;

// Each part with its length before it, since a user's name is a stranger's to choose and may hold anything.
std::string joined(std::initializer_list<std::string_view> parts) {
    std::string key;
    for (const std::string_view part : parts) key.append(std::to_string(part.size())).append(1, ':').append(part);
    return key;
}

// Seconds since 1970 as extract(epoch …) gives them; nothing for "no end" in any spelling.
std::optional<double> read_epoch(const std::optional<std::string>& text) {
    double value = 0;
    if (!text) return std::nullopt;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
    return value;
}

double now_epoch() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

std::string key_of(const config::AuthQuery& query) {
    return joined({query.cluster, query.database, query.user, query.sql});
}

AuthQueries::AuthQueries(Worker& worker) : worker_(worker), gate_(std::make_shared<Gate>(worker.reactor().io())) {}

boost::asio::awaitable<AuthQueries::Answer> AuthQueries::ask(config::AuthQuery query, std::string user,
                                                             TimePoint until) {
    if (takes_utf8_only_.contains(key_of(query)) && !is_utf8(user)) co_return std::optional<auth::Credential>();
    const std::string key = joined({key_of(query), user});
    const std::shared_ptr<Gate> gate = gate_;
    // Who comes behind a reload does not share what was asked before it.
    const auto asking_key = [&] { return joined({std::to_string(generation_), key}); };
    while (true) {
        if (const Cached* cached = find_cached(key)) co_return cached->credential;
        const auto found = gate->asking.find(asking_key());
        if (found == gate->asking.end()) break;
        const std::shared_ptr<Asking> asking = found->second;
        // Whoever asks gives up at a deadline of its own, so this one ends too.
        co_await asking->done.async_wait(net::as_tuple);
        if (asking->answer) co_return *asking->answer;
        if (worker_.read_clock() >= until) co_return "auth.query: no answer in time";
    }
    const Asker asker(gate, asking_key(), std::make_shared<Asking>(worker_.io()));
    Answer answer = co_await look_up(std::move(query), std::move(user), key, until);
    const bool failed = std::holds_alternative<std::string>(answer);
    if (!failed || worker_.read_clock() < until) asker.tell(answer);
    co_return answer;
}

boost::asio::awaitable<AuthQueries::Answer> AuthQueries::look_up(config::AuthQuery query, std::string user,
                                                                 std::string key, TimePoint until) {
    const std::shared_ptr<Gate> gate = gate_;
    while (gate->under_way >= most_at_once) {
        co_await gate->freed.async_wait(net::as_tuple);
        if (worker_.read_clock() >= until) {
            gate->freed.cancel_one();
            co_return "auth.query: no connection for it came free in time";
        }
    }
    const Turn turn(gate);
    bool name_refused = false;
    const std::string asked = key_of(query);
    Answer answer = co_await query_server(std::move(query), std::move(user), std::move(key), until, name_refused);
    if (!name_refused) worker_.process().lookups.note_outcome(asked, std::holds_alternative<std::string>(answer));
    co_return answer;
}

boost::asio::awaitable<AuthQueries::Answer> AuthQueries::query_server(config::AuthQuery query, std::string user,
                                                                      std::string key, TimePoint until,
                                                                      bool& name_refused) {
    const std::string connection_key = key_of(query);
    static const std::vector<std::optional<std::string>> none;
    // Of an answer that spans a reload nobody knows whether it is from before what the reload was for.
    const std::uint64_t asked_in = generation_;
    // A connection that was idle may have died unnoticed, so a failure on it is tried once more on a new one.
    while (true) {
        net::LinkPtr link(nullptr);
        const auto waiting = idle_.find(connection_key);
        const bool is_reused = waiting != idle_.end();
        if (is_reused) {
            link = std::move(waiting->second.link);
            idle_.erase(waiting);
        } else {
            auto connected = co_await connect(query, until);
            if (!connected) co_return connected.error().text;
            link = std::move(*connected);
        }
        std::vector<std::string> values{user};
        // What is left of the deadline is for the new connection.
        const TimePoint give_up = is_reused ? within_connect_time(until) : until;
        std::string refused;
        const net::Outcome<Rows> rows =
            co_await run_statement(*link, query.sql, std::move(values), give_up, nullptr, &refused);
        const bool is_usable = rows || !refused.empty();
        if (!is_usable && is_reused) continue;
        if (is_usable && asked_in == generation_)
            idle_.emplace(connection_key, Idle{std::move(link), worker_.read_clock()});
        // The name is the one thing that differs from look-up to look-up. "Data exception": this server can have no
        // user of that name, as where its bytes are no text in the database's encoding (22021).
        name_refused = refused.starts_with("22");
        if (name_refused) co_return remember(query, key, user, none, asked_in);
        if (!rows) co_return "auth.query: " + rows.error().text;
        if (rows->size() > 1) co_return "auth.query: the statement returned more than one row";
        co_return remember(query, key, user, rows->empty() ? none : (*rows)[0].values, asked_in);
    }
}

const AuthQueries::Cached* AuthQueries::find_cached(const std::string& key) {
    const auto cached = cache_.find(key);
    if (cached == cache_.end()) return nullptr;
    if (worker_.read_clock() < cached->second.until) return &cached->second;
    cache_.erase(cached);
    return nullptr;
}

void AuthQueries::distrust(const config::AuthQuery& query, const std::string& user) {
    const auto cached = cache_.find(joined({key_of(query), user}));
    if (cached == cache_.end()) return;
    cached->second.until = std::min(cached->second.until, worker_.read_clock() + query.negative_cache);
}

// The row: name, stored password, and optionally the password's end in seconds since 1970.
AuthQueries::Answer AuthQueries::remember(const config::AuthQuery& query, const std::string& key,
                                          const std::string& user, const std::vector<std::optional<std::string>>& row,
                                          std::uint64_t asked_in) {
    if (row.size() == 1 || row.size() > 3) {
        return "auth.query: the statement must return name, password and optionally the end of its validity";
    }
    std::optional<auth::Credential> credential;
    Milliseconds lifetime = query.negative_cache;
    if (!row.empty() && row[1]) {
        credential = auth::parse_credential(Secret(*row[1]));
        lifetime = query.cache;
        if (const auto end = row.size() == 3 ? read_epoch(row[2]) : std::nullopt) {
            const double left = *end - now_epoch();
            if (left <= 0)
                credential.reset();
            else if (left < 1e9)
                lifetime = std::min(lifetime, Milliseconds(static_cast<long>(left * 1000)));
        }
    }
    const auto* verifier = credential ? std::get_if<auth::ScramVerifier>(&*credential) : nullptr;
    // By the name that the server has for the user: a statement may find one user by many spellings.
    worker_.process().lookups.note_iterations(key_of(query), row.empty() || !row[0] ? user : *row[0],
                                              verifier == nullptr ? std::nullopt : std::optional(verifier->iterations));
    if (asked_in != generation_) return credential;
    if (cache_.size() >= cache_limit) cache_.clear();
    if (lifetime.count() > 0) cache_.insert_or_assign(key, Cached{credential, worker_.read_clock() + lifetime});
    return credential;
}

boost::asio::awaitable<net::Outcome<net::LinkPtr>> AuthQueries::connect(config::AuthQuery query, TimePoint until) {
    const std::shared_ptr<const Snapshot> snapshot = worker_.snapshot();
    const config::Cluster* cluster = snapshot->cluster(query.cluster);
    if (cluster == nullptr) co_return net::Error{{}, "auth.query: unknown cluster"};
    std::string problems;
    for (const config::Endpoint& endpoint : cluster->servers) {
        const std::shared_ptr<pool::Upstream> upstream = worker_.process().upstream(cluster->name, endpoint);
        if (upstream->is_down(worker_.read_clock())) continue;
        ConnectRequest request = request_to(*snapshot, *cluster, endpoint, worker_.socket_options());
        request.user = query.user;
        request.database = query.database;
        request.parameters = {{"search_path", "pg_catalog, pg_temp"}, {"application_name", "pgsluice auth.query"}};
        auth::Credential credential = auth::parse_credential(query.password);
        if (auto* plain = std::get_if<auth::PlainPassword>(&credential)) request.password = *plain;
        if (auto* md5 = std::get_if<auth::Md5Password>(&credential)) request.password = *md5;
        request.until = within_connect_time(until);
        // A client that has left little of its login's time says nothing of the server.
        const bool has_its_time = request.until < until;
        ServerAttempt attempt{std::move(request), upstream, snapshot->config.timeouts.connect_retry};
        attempt.is_excused = [has_its_time](const ConnectError& error) {
            return error.reason == metrics::ConnectFailure::timeout && !has_its_time;
        };
        Connected connected = co_await try_server(worker_, std::move(attempt));
        if (auto* in = std::get_if<LoggedIn>(&connected)) {
            const auto& reported = in->facts.parameters;
            const wire::Setting utf8{"client_encoding", "UTF8"};
            if (std::find(reported.begin(), reported.end(), utf8) == reported.end())
                takes_utf8_only_.erase(key_of(query));
            else
                takes_utf8_only_.insert(key_of(query));
            co_return std::move(in->link);
        }
        problems += (problems.empty() ? "" : "; ") + std::get<ConnectError>(connected).text;
    }
    if (problems.empty()) problems = "every server failed less than connect_retry ago";
    co_return net::Error{{}, "auth.query: " + problems};
}

// Of a login's deadline, what one server may have.
TimePoint AuthQueries::within_connect_time(TimePoint until) {
    return std::min(until, deadline(worker_.read_clock(), worker_.snapshot()->config.timeouts.connect));
}

void AuthQueries::reset() {
    ++generation_;
    cache_.clear();
    idle_.clear();
    takes_utf8_only_.clear();
}

void AuthQueries::sweep(TimePoint now) {
    // Those who wait look at their deadlines.
    gate_->freed.cancel();
    std::erase_if(idle_, [now](const auto& entry) { return now - entry.second.since > keep_idle; });
}

}  // namespace pgsluice::daemon
