#include "server_dial.hpp"

#include "exception_text.hpp"
#include "server_attempt.hpp"
#include "server_places.hpp"
#include "worker.hpp"

#include <pgsluice/base/log.hpp>
#include <pgsluice/net/asio.hpp>
#include <pgsluice/protocol/inspection.hpp>
#include <pgsluice/sql/session_effect.hpp>

#include <algorithm>

namespace pgsluice::daemon {

using config::TargetSessionAttrs;
using pool::Upstream;

namespace {

// libpq's order: as written, or at random.
std::vector<config::Endpoint> in_order(Worker& worker, const config::Cluster& cluster) {
    std::vector<config::Endpoint> servers = cluster.servers;
    if (cluster.load_balance_hosts == config::LoadBalance::random) {
        for (std::size_t i = servers.size(); i > 1; --i) std::swap(servers[i - 1], servers[worker.random(i)]);
    }
    return servers;
}

protocol::ServerLogin::Password password_for(Worker& worker, pool::Pool& pool) {
    const pool::Target& target = pool.target();
    const auto known = &protocol::ServerLogin::password_of;
    if (!target.password.empty()) return known(auth::parse_credential(target.password));
    const auto* user = worker.snapshot()->find_user(target.cluster.name, target.user);
    if (user != nullptr) {
        auto configured = known(user->credential);
        if (!std::holds_alternative<auth::NoPassword>(configured)) return configured;
    }
    return worker.shared(pool).passed_through();
}

// What a client may know of a failed login to a server: what the server said once it had let us in, else only the class
// of it.
wire::SqlError error_for_clients(const ConnectError& error) {
    // As final as a refusal: what the server asks for will not be there the next time either.
    if (error.lacks_credentials) {
        return wire::fatal("28P01", "pgsluice lacks the credentials to log in to the server as this user", "",
                           "The log of pgsluice tells what the server asks for.");
    }
    wire::SqlError told = wire::fatal("57P03", "no server is reachable", "",
                                      "The log of pgsluice tells why each server could not be used.");
    const bool is_final =
        error.authenticated || error.sqlstate == "28P01" || error.sqlstate == "28000" || error.sqlstate == "53300";
    if (!is_final || error.sqlstate.size() != 5) return told;
    std::copy(error.sqlstate.begin(), error.sqlstate.end(), told.sqlstate.begin());
    if (error.authenticated) {
        told.message = error.message;
        told.detail = error.detail;
        told.hint = error.hint;
    } else {
        told.message = error.sqlstate == "53300" ? "the server has too many connections"
                                                 : "the server refused the login of pgsluice";
    }
    if (error.sqlstate == "53300" && (!error.authenticated || told.hint.empty())) {
        told.hint =
            "Raise max_connections of the server, or the CONNECTION LIMIT of the role or database there; or lower "
            "pool.size: the pools of all pgsluice processes need connections there.";
    }
    return told;
}

// A failure behind the login: by its code, or `answered` where the server gave an answer that will not do.
ConnectError failure_of(const net::Error& error, std::string_view what, metrics::ConnectFailure answered) {
    return {error.code ? reason_of(error.code) : answered, std::string(what) + ": " + error.text, true};
}

// From what PostgreSQL 14 and later report at login; older servers are asked. Nothing: the role fits.
boost::asio::awaitable<std::optional<ConnectError>> check_role(net::Link& link,
                                                               const std::vector<wire::Setting>& reported,
                                                               TargetSessionAttrs wanted, TimePoint until) {
    if (wanted == TargetSessionAttrs::any) co_return std::nullopt;
    const ConnectError wrong{metrics::ConnectFailure::wrong_role, "is not what target_session_attrs asks for", true};
    pool::Role role;
    for (const auto& [name, value] : reported) role.note(name, value);
    if (!role.in_hot_standby || !role.read_only) {
        std::string question =
            "select pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('default_transaction_read_only')";
        const net::Outcome<Rows> rows = co_await run_statement(link, std::move(question), {}, until);
        if (!rows) co_return failure_of(rows.error(), "target_session_attrs", metrics::ConnectFailure::wrong_role);
        if (rows->size() != 1 || (*rows)[0].values.size() != 2) co_return wrong;
        const auto& values = (*rows)[0].values;
        role.note(pool::standby_setting, values[0].value_or(""));
        role.note(pool::read_only_setting, values[1].value_or(""));
    }
    if (!role.is_other_than(wanted)) co_return std::nullopt;
    co_return wrong;
}

// Where a client wrote the startup packet, a silence or a hang-up behind it says nothing about the server: a client can
// ask for either (post_auth_delay).
bool is_clients_doing(const ConnectError& error, const pool::Target& target) {
    return error.has_startup && !target.startup.empty() && error.sqlstate.empty();
}

// What connect_query has set. Clients want it as they want what a server reports at its login.
boost::asio::awaitable<net::Outcome<std::vector<protocol::Parameter>>> ask_settings(
    net::Link& link, const pool::Target& target, const std::vector<wire::Setting>& reported, TimePoint until) {
    std::vector<std::string> values(2, "f");
    sql::SettingNames names = sql::setting_names(target.connect_query);
    sql::note_mentioned_names(target.connect_query, names);
    values[0] = protocol::array_of(names.told);
    std::string text(protocol::inspection_text());
    const net::Outcome<Rows> rows = co_await run_statement(link, std::move(text), std::move(values), until);
    if (!rows) co_return rows.error();
    protocol::Answer settings;
    for (const Row& row : *rows) {
        if (row.values.size() != 3 || !row.values[0] || !row.values[1] || !row.values[2]) {
            co_return net::Error{{}, "the server does not tell what it has set"};
        }
        settings.add(*row.values[0], *row.values[1], *row.values[2]);
    }
    if (settings.may_begin_with_role()) settings.tell_no_role();
    if (settings.failed()) co_return net::Error{{}, "it sets more than is carried for a session"};
    std::vector<protocol::Parameter> made = settings.settings();
    std::erase_if(made, [&](const protocol::Parameter& each) {
        const bool is_own_name = each.name == "session_authorization" && each.value == target.user;
        const bool is_reported = std::any_of(reported.begin(), reported.end(), [&](const wire::Setting& setting) {
            return setting.first == each.name && protocol::is_carried(each.name);
        });
        return is_own_name || is_reported;
    });
    co_return made;
}

// Checks the role of a server that has let us in, and runs connect_query there; then `settings` are those that it made.
boost::asio::awaitable<std::optional<ConnectError>> prepare(LoggedIn& in, const pool::Target& target,
                                                            TargetSessionAttrs wanted, TimePoint until,
                                                            std::vector<protocol::Parameter>& settings) {
    auto unfit = co_await check_role(*in.link, in.facts.parameters, wanted, until);
    if (unfit || target.connect_query.empty()) co_return unfit;
    const auto rejected = metrics::ConnectFailure::rejected;
    const auto rows = co_await run_statement(*in.link, target.connect_query, {}, until, &in.facts.parameters);
    if (!rows) co_return failure_of(rows.error(), "connect_query", rejected);
    // A replication connection has one client, and answers simple queries only.
    if (target.is_replication()) co_return std::nullopt;
    auto made = co_await ask_settings(*in.link, target, in.facts.parameters, until);
    if (!made) co_return failure_of(made.error(), "connect_query", rejected);
    settings = std::move(*made);
    co_return std::nullopt;
}

struct Attempt {
    std::optional<ConnectError> failed;
    bool is_temporary = false;
    std::unique_ptr<pool::Server> server;
    net::Link* link = nullptr;
    HeldPlaces held;
};

boost::asio::awaitable<Attempt> try_endpoint(Worker& worker, pool::Pool& pool, config::Endpoint endpoint,
                                             std::shared_ptr<Upstream> upstream, TargetSessionAttrs wanted) {
    const std::shared_ptr<const pool::Target> target = pool.target_ref();
    const std::shared_ptr<const Snapshot> snapshot = worker.snapshot();
    const auto& timeouts = snapshot->config.timeouts;
    Attempt attempt;
    const auto user_places = worker.process().user_places(target->user);
    // Two times, one behind the other: a server must not count as dead since others took their time before this one.
    const TimePoint place_until = deadline(worker.read_clock(), timeouts.connect);
    TakenPlaces places = co_await take_places(worker, pool, upstream, user_places, place_until);
    if (places.outcome != PlacesTaken::all) {
        const std::string lacks = places.outcome == PlacesTaken::server_is_full
                                      ? "the limit of connections to this server is reached"
                                      : "the limit of server connections of user \"" + target->user + "\" is reached";
        attempt.failed = ConnectError{metrics::ConnectFailure::timeout, endpoint.label() + ": " + lacks};
        attempt.is_temporary = true;
        co_return attempt;
    }
    const TimePoint began = worker.read_clock();
    const TimePoint until = deadline(began, timeouts.connect);
    const pool::Generation generation = pool.share().generation();
    ConnectRequest request = request_to(*snapshot, target->cluster, endpoint, worker.socket_options());
    request.user = target->user;
    request.database = target->database;
    request.parameters = target->parameters;
    request.parameters.insert(request.parameters.end(), target->startup.begin(), target->startup.end());
    request.password = password_for(worker, pool);
    request.until = until;
    std::vector<protocol::Parameter> own_settings;
    ServerAttempt tried{std::move(request), upstream, timeouts.connect_retry};
    tried.prepare = [&](LoggedIn& in) -> boost::asio::awaitable<std::optional<ConnectError>> {
        places.held.end_connecting();
        auto unfit = co_await prepare(in, *target, wanted, until, own_settings);
        if (unfit) unfit->text = endpoint.label() + ": " + unfit->text;
        co_return unfit;
    };
    tried.is_excused = [&](const ConnectError& error) { return is_clients_doing(error, *target); };
    Connected connected = co_await try_server(worker, std::move(tried));
    if (auto* error = std::get_if<ConnectError>(&connected)) {
        attempt.failed = std::move(*error);
        co_return attempt;
    }
    LoggedIn in = std::get<LoggedIn>(std::move(connected));
    worker.metrics()
        .server({target->cluster.name, endpoint.label()})
        .connect_seconds.observe(std::chrono::duration_cast<Microseconds>(worker.read_clock() - began));

    pool::Server::Facts facts;
    facts.id = worker.process().next_server();
    facts.label = endpoint.label();
    facts.upstream = std::move(upstream);
    facts.user_places = user_places;
    facts.process_id = in.facts.process_id;
    facts.cancel_secret = in.facts.cancel_secret;
    facts.reported = in.facts.parameters;
    facts.fingerprint = target->fingerprint;
    facts.generation = generation;
    facts.opened_at = worker.read_clock();
    facts.cancel_route = in.route;
    std::vector<protocol::Parameter> carried = std::move(own_settings);
    for (const auto& [name, value] : facts.reported) {
        if (pool.carries(name)) carried.push_back({name, value, true});
    }
    facts.baseline = worker.parameters().intern(std::move(carried));
    attempt.link = in.link.get();
    attempt.server = std::make_unique<pool::Server>(std::move(facts), net::as_peer(std::move(in.link)));
    attempt.held = std::move(places.held);
    co_return attempt;
}

// Where memory or descriptors run out, one server could not be used, as with any other failure.
boost::asio::awaitable<Attempt> try_endpoint_safely(Worker& worker, pool::Pool& pool, config::Endpoint endpoint,
                                                    std::shared_ptr<Upstream> upstream, TargetSessionAttrs wanted) {
    Attempt attempt;
    try {
        attempt = co_await try_endpoint(worker, pool, endpoint, std::move(upstream), wanted);
    } catch (const std::exception& error) {
        attempt.failed = ConnectError{metrics::ConnectFailure::network, endpoint.label() + ": " + error.what()};
    }
    co_return attempt;
}

void log_failure(Worker& worker, const pool::Pool& pool, const ConnectError& error) {
    const pool::Target& target = pool.target();
    if (!worker.snapshot()->config.log.pool_errors) return;
    log::warning("server_connect_failed", error.text,
                 {{"reason", metrics::names_of(metrics::ConnectFailure{})[static_cast<std::size_t>(error.reason)]},
                  {"route", target.route},
                  {"cluster", target.cluster.name},
                  {"database", target.database},
                  {"user", target.user},
                  {"sqlstate", error.sqlstate}});
}

void note_failure(Worker& worker, const pool::Pool& pool, const config::Endpoint& endpoint, const ConnectError& error) {
    const metrics::ServerLabels server{pool.target().cluster.name, endpoint.label()};
    worker.metrics().server(server).connect_failures[error.reason].add();
    log_failure(worker, pool, error);
}

}  // namespace

boost::asio::awaitable<Dialed> dial_server(Worker& worker, pool::Pool& pool) {
    const std::shared_ptr<const pool::Target> target = pool.target_ref();
    const config::Cluster& cluster = target->cluster;
    const std::vector<config::Endpoint> endpoints = in_order(worker, cluster);
    // prefer-standby: first any standby, then anything.
    std::vector<TargetSessionAttrs> passes{target->session_attrs};
    if (target->session_attrs == TargetSessionAttrs::prefer_standby) passes.push_back(TargetSessionAttrs::any);

    std::optional<ConnectError> last;
    bool is_temporary = false;
    bool tried_any = false;
    const config::Endpoint* passed_over = nullptr;  // the last, if that
    for (const TargetSessionAttrs wanted : passes) {
        for (const config::Endpoint& endpoint : endpoints) {
            auto upstream = worker.process().upstream(cluster.name, endpoint);
            // A dead host costs its timeout once per connect_retry, not once per client.
            if (upstream->is_down(worker.read_clock())) continue;
            tried_any = true;
            Attempt attempt = co_await try_endpoint_safely(worker, pool, endpoint, upstream, wanted);
            if (attempt.server != nullptr) {
                log::debug("server_connected", "connected to a server",
                           {{"route", target->route}, {"server", attempt.server->facts().label}});
                co_return Dialed{std::move(attempt.held), std::move(attempt.server), attempt.link, {}, false};
            }
            // To have no room for a connection that nobody waits for is no failure, nor is to pass a standby over.
            const bool is_passed_over = attempt.failed->reason == metrics::ConnectFailure::wrong_role;
            const bool is_for_nobody = attempt.is_temporary && pool.waiting() == 0;
            if (!is_passed_over && !is_for_nobody) note_failure(worker, pool, endpoint, *attempt.failed);
            passed_over = is_passed_over ? &endpoint : nullptr;
            if (attempt.failed->sqlstate == "57P03") {
                pool.retire_servers_of(*upstream, metrics::ServerClose::server_shutdown);
            }
            is_temporary = is_temporary || attempt.is_temporary;
            last = std::move(attempt.failed);
        }
    }
    if (passed_over != nullptr) note_failure(worker, pool, *passed_over, *last);
    if (!tried_any) {
        last = ConnectError{metrics::ConnectFailure::refused, "every server failed less than connect_retry ago"};
    }
    co_return Dialed{{}, nullptr, nullptr, error_for_clients(*last), is_temporary};
}

void end_dial(Worker& worker, pool::Pool& pool, const std::exception_ptr& thrown, Dialed dialed) {
    worker.read_clock();
    if (thrown != nullptr) {
        const ConnectError error{metrics::ConnectFailure::network, exception_text(thrown)};
        log_failure(worker, pool, error);  // of no server in particular
        pool.on_dial_failed(error_for_clients(error), false);
        return;
    }
    if (dialed.server == nullptr) {
        pool.on_dial_failed(dialed.error, dialed.is_temporary);
        return;
    }
    worker.heed_suspension(*dialed.link);
    dialed.link->start(*dialed.server);
    dialed.held.hand_over();
    pool.on_dialed(std::move(dialed.server));
}

}  // namespace pgsluice::daemon
