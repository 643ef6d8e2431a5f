#include "client_login.hpp"

#include "account_names.hpp"
#include "cancel_key.hpp"
#include "console_client.hpp"
#include "derive.hpp"
#include "login.hpp"

#include <pgsluice/auth/md5.hpp>
#include <pgsluice/auth/rules.hpp>
#include <pgsluice/base/log.hpp>
#include <pgsluice/protocol/client_authentication.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>

namespace pgsluice::daemon {

using metrics::LoginFailure;
using protocol::ClientAuthentication;

namespace {

// The stored password of a user; nullopt inside where there is no such user.
struct Found {
    std::optional<auth::Credential> credential{};
    const Users::Entry* user = nullptr;
    std::string problem{};      // auth.query failed
    bool lookups_fail = false;  // here or for somebody else: see ClientAuthentication::Setup
};

// Unknown users look like most of those who would be found where they were looked for.
std::uint32_t usual_iterations(const Login& login, const config::AuthQuery* query) {
    if (query == nullptr) return login.snapshot->usual_iterations;
    return login.worker.process().lookups.usual_iterations(key_of(*query)).value_or(login.snapshot->usual_iterations);
}

boost::asio::awaitable<Found> find_credential(Login& login, const config::Route* route) {
    const std::string cluster = route == nullptr ? std::string() : route->cluster;
    const config::AuthQuery* query = login.snapshot->auth_query(cluster);
    const auto lookups_fail = [&] { return login.worker.process().lookups.fails(key_of(*query)); };
    if (const auto* entry = login.snapshot->find_user(cluster, login.identity.user)) {
        co_return Found{entry->credential, entry, {}, query != nullptr && lookups_fail()};
    }
    if (query == nullptr) co_return Found{};
    AuthQueries::Answer answer = co_await login.worker.auth_queries().ask(*query, login.identity.user, login.until);
    if (auto* problem = std::get_if<std::string>(&answer))
        co_return Found{std::nullopt, nullptr, std::move(*problem), true};
    // An answer from the cache, while others get none.
    co_return Found{std::get<std::optional<auth::Credential>>(std::move(answer)), nullptr, {}, lookups_fail()};
}

Failure out_of_time(const char* what) {
    return {LoginFailure::timeout, std::string("login timeout, waiting for ") + what};
}

struct Authenticated {
    protocol::ServerLogin::Password proof;  // for servers: pass-through, or what auth.query found
    Checked failure{};
};

boost::asio::awaitable<Authenticated> authenticate(Login& login, const config::AuthRule& rule,
                                                   const config::AuthQuery* query, Found found) {
    const auto stored = found.credential ? protocol::ServerLogin::password_of(*found.credential)
                                         : protocol::ServerLogin::Password(auth::NoPassword{});
    ClientAuthentication::Setup setup;
    setup.rule = rule;
    setup.user = login.identity.user;
    setup.credential = std::move(found.credential);
    setup.lookups_fail = found.lookups_fail;
    setup.unknown_answer_md5 = !login.snapshot->has_verifiers;
    setup.usual_iterations = usual_iterations(login, query);
    setup.nonce = random_bytes(auth::scram_nonce_bytes);
    setup.md5_salt = random_bytes(auth::md5_salt_bytes);
    setup.process_secret = login.worker.process().secret;
    setup.channel_binding = login.tls.server_end_point;
    if (login.tls.peer_certificate) setup.certificate_name = login.tls.common_name;
    setup.listener_tls = login.listener_config().tls.mode;
    // A load balancer's socket tells nothing of the client that it names.
    if (rule.method == config::AuthMethod::peer && login.address.family == Address::Family::unix_socket) {
        if (const auto uid = login.link->peer_uid()) {
            auto name = co_await account_name(login.worker.io(), *uid, login.until);
            if (!name) co_return Authenticated{{}, out_of_time("the name of its process's owner")};
            setup.peer_name = std::move(*name);
        }
    }
    ClientAuthentication machine(std::move(setup));
    ClientAuthentication::Action action = machine.begin(login.out);
    while (true) {
        // What ends a successful exchange is sent with what follows it: a login that finds no server ends without
        // AuthenticationOk, and libpq then tries its next host.
        if (!std::holds_alternative<ClientAuthentication::Accepted>(action)) {
            if (auto failure = co_await send(login)) co_return Authenticated{{}, std::move(failure)};
        }
        if (auto* derivation = std::get_if<ClientAuthentication::Derive>(&action)) {
            const auto keys =
                co_await derive(login.worker.process(), login.worker.io(), std::move(*derivation), login.until);
            if (!keys) co_return Authenticated{{}, out_of_time("its keys to be derived")};
            action = machine.resume(*keys, login.out);
        } else if (auto* accepted = std::get_if<ClientAuthentication::Accepted>(&action)) {
            if (accepted->keys) co_return Authenticated{std::move(*accepted->keys)};
            if (!accepted->password.empty()) co_return Authenticated{auth::PlainPassword{accepted->password}};
            co_return Authenticated{stored};
        } else if (auto* rejected = std::get_if<ClientAuthentication::Rejected>(&action)) {
            const auto reason =
                rejected->error.code() == "08P01" ? LoginFailure::protocol_violation : LoginFailure::authentication;
            co_return Authenticated{
                {}, Failure{reason, rejected->reason.empty() ? rejected->error.message : rejected->reason}};
        } else if (auto* close = std::get_if<ClientAuthentication::Close>(&action)) {
            co_return Authenticated{{}, Failure{LoginFailure::protocol_violation, close->reason}};
        } else {
            ClientAuthentication::Step step = machine.resume(login.in, login.out);
            login.in.erase(0, step.consumed);
            action = std::move(step.action);
            const bool needs_more =
                step.consumed == 0 && std::holds_alternative<ClientAuthentication::NeedMessage>(action);
            if (needs_more) {
                if (auto failure = co_await receive(login)) co_return Authenticated{{}, std::move(failure)};
            }
        }
    }
}

// While all stands still, nobody new is looked at, and the time does not count. Who goes meanwhile has gone.
boost::asio::awaitable<Checked> wait_while_suspended(Login& login) {
    Worker& worker = login.worker;
    constexpr Milliseconds interval{100};
    while (worker.is_suspended() && !worker.process().draining) {
        const TimePoint began = worker.read_clock();
        std::array<char, 256> chunk{};
        const auto got = co_await login.link->read_some(chunk, began + interval);
        if (got)
            login.in.append(chunk.data(), *got);
        else if (got.error() != boost::system::errc::timed_out)
            co_return network_failure(got.error());
        // Nothing is to come before it has been asked for its password.
        if (login.in.size() > chunk.size()) {
            co_return Failure{LoginFailure::protocol_violation, "sends messages before it has been asked for any",
                              wire::fatal("08P01", "expected an answer to an authentication request")};
        }
        if (login.until != never) login.until += worker.read_clock() - began;
    }
    co_return std::nullopt;
}

Failure shutting_down() {
    return {LoginFailure::shutting_down, "shutting down", wire::fatal("57P03", "the database system is shutting down")};
}

// In session mode the client's settings go on in the server's startup packet, with those of the route.
std::optional<wire::SqlError> refuse_startup(const pool::Target& target) {
    std::vector<std::pair<ByteView, ByteView>> all{{"user", target.user}, {"database", target.database}};
    for (const auto* settings : {&target.parameters, &target.startup}) {
        for (const auto& [name, value] : *settings) all.emplace_back(name, value);
    }
    Bytes packet;
    wire::write_startup_message(packet, all);
    if (packet.size() <= wire::startup_packet_limit) return std::nullopt;
    return wire::fatal("08P01", "invalid length of startup packet",
                       "With the route's database, user and parameters it is longer than a server takes.");
}

std::shared_ptr<const pool::Target> target_of(const Snapshot& snapshot, const config::Route& route,
                                              const protocol::ClientIdentity& who) {
    if (who.replication == protocol::Replication::none) {
        return snapshot.target(route, who.database, who.user, who.settings);
    }
    std::vector<wire::Setting> settings = who.settings;
    settings.emplace_back("replication", who.replication == protocol::Replication::logical ? "database" : "true");
    return snapshot.target(route, who.database, who.user, settings, config::PoolMode::session);
}

// By its own socket: root and our own account can do everything to the process anyway. No limit and no rule stands in
// their way, so that somebody can look when nobody else gets in.
boost::asio::awaitable<Checked> let_into_console(Login& login) {
    const auto uid = login.link->peer_uid();
    if (!uid || (*uid != 0 && *uid != geteuid())) {
        co_return Failure{LoginFailure::authentication, "neither root nor the account of pgsluice",
                          wire::fatal("28000", "Peer authentication failed for user \"" + login.identity.user + '"')};
    }
    wire::write_authentication(login.out, wire::AuthenticationCode::ok);
    co_await serve_console(login, admin::Role::admin);
    co_return std::nullopt;
}

// Among all clients, and among those of its address.
Checked check_place(const Login& login, const ClientSlot& slot) {
    if (!slot.is_within_limit()) {
        return Failure{LoginFailure::too_many_clients, "limits.client_connections is reached",
                       wire::fatal("53300", "sorry, too many clients already")};
    }
    if (!login.place.is_within_limit()) {
        const std::uint32_t limit = login.snapshot->config.limits.connections_per_address;
        auto refused = ClientLimits::too_many_from(login.address, limit);
        return Failure{LoginFailure::too_many_clients, refused.message, std::move(refused)};
    }
    return std::nullopt;
}

// The limits of clients hold for who only looks. An administrator gets in, beyond the reserved places as a client.
Checked take_console_place(const Login& login, ClientSlot& slot, admin::Role role, const Users::Entry* user,
                           Admission& admission) {
    const bool is_administrator = role == admin::Role::admin;
    if (slot.enter_console(is_administrator) && slot.is_reserved()) return std::nullopt;
    if (auto failure = check_place(login, slot)) return failure;
    if (is_administrator) return std::nullopt;
    ClientLimits::Request request;
    request.user = login.identity.user;
    request.database = login.identity.database;
    request.user_limit = user == nullptr ? 0 : user->max_connections;
    ClientLimits& limits = login.worker.process().clients;
    auto refused = limits.admit(request, login.worker.snapshot()->config.limits, admission);
    if (!refused) return std::nullopt;
    return Failure{LoginFailure::too_many_clients, refused->message, std::move(refused)};
}

// The whole login behind the startup packets.
boost::asio::awaitable<Checked> establish(Login& login, ClientSlot& slot) {
    Worker& worker = login.worker;
    const Snapshot& snapshot = *login.snapshot;
    const protocol::ClientIdentity& who = login.identity;
    if (worker.process().draining) co_return shutting_down();
    if (login.is_by_console_socket()) co_return co_await let_into_console(login);
    // Who may be an administrator must prove it before anybody knows.
    const bool for_console = snapshot.config.console.answers(who.database);
    if (!for_console) {
        if (auto failure = check_place(login, slot)) co_return failure;
    }
    const auth::LoginFacts facts{login.address, login.link->is_tls(), who.database, who.user};
    const config::AuthRule* rule = auth::match(snapshot.config.auth.rules, facts);
    if (rule == nullptr) {
        co_return Failure{LoginFailure::no_rule, "no authentication rule matches", auth::no_rule_matches(facts)};
    }
    if (rule->method == config::AuthMethod::reject) {
        co_return Failure{LoginFailure::no_rule, "an authentication rule rejects", auth::rejected_by_rule(facts)};
    }
    if (!for_console) {
        if (auto failure = co_await wait_while_suspended(login)) co_return failure;
    }
    const routing::Facts routed{who.database, who.user, who.application_name, login.tls.server_name, login.address};
    const config::Route* route = for_console ? nullptr : snapshot.routes.choose(routed);
    Found found = co_await find_credential(login, route);
    const bool is_configured = found.user != nullptr;
    const std::string problem = found.problem;
    if (!problem.empty()) {
        log::error("auth_query_failed", problem, {{"user", who.user}, {"database", who.database}});
    }
    const config::AuthQuery* query = snapshot.auth_query(route == nullptr ? std::string() : route->cluster);
    Authenticated authenticated = co_await authenticate(login, *rule, query, std::move(found));
    if (authenticated.failure) {
        if (query != nullptr && !is_configured) worker.auth_queries().distrust(*query, who.user);
        if (!problem.empty()) authenticated.failure->reason = LoginFailure::auth_query;
        co_return std::move(authenticated.failure);
    }
    // From here on nothing waits. What has changed while the client proved itself counts.
    if (worker.process().draining) co_return shutting_down();
    const std::shared_ptr<const Snapshot> current = worker.snapshot();
    if (route != nullptr) route = current->route(route->name);
    const Users::Entry* user = current->find_user(route == nullptr ? std::string() : route->cluster, who.user);
    if (for_console) {
        const auto role = console_role(login, current->config.console);
        if (!role) {
            co_return Failure{LoginFailure::no_rule, "neither admin.console.users nor stats_users name this user",
                              wire::fatal("42501", "permission denied for database \"" + who.database + "\"", "",
                                          "admin.console.users and stats_users of pgsluice name who may use it.")};
        }
        Admission admission;
        if (auto failure = take_console_place(login, slot, *role, user, admission)) co_return failure;
        co_await serve_console(login, *role);
        co_return std::nullopt;
    }
    if (worker.process().gates.is_disabled(who.database)) {
        co_return Failure{LoginFailure::disabled, "the database is disabled",
                          wire::fatal("57P03", "database \"" + who.database + "\" is disabled", "",
                                      "An administrator has done so; ENABLE in the console of pgsluice ends it.")};
    }
    if (route == nullptr) {
        co_return Failure{LoginFailure::no_route, "no route takes this client",
                          wire::fatal("3D000", "database \"" + who.database + "\" does not exist",
                                      "No route of pgsluice takes this database, user, application and address.")};
    }
    ClientLimits::Request request;
    request.user = who.user;
    request.database = who.database;
    request.route = route->name;
    request.user_limit = user == nullptr ? 0 : user->max_connections;
    request.route_limit = route->max_connections;
    Admission admission;
    if (auto refused = worker.process().clients.admit(request, current->config.limits, admission)) {
        co_return Failure{LoginFailure::too_many_clients, refused->message, std::move(refused)};
    }

    auto target = target_of(*current, *route, who);
    if (target->is_replication() && route->replication == config::Replication::reject) {
        co_return Failure{LoginFailure::no_rule, "the route rejects replication connections",
                          wire::fatal("28000", "replication connections are not allowed here",
                                      "Route \"" + route->name + "\" of pgsluice: replication is reject.")};
    }
    if (auto refused = refuse_startup(*target)) {
        co_return Failure{LoginFailure::protocol_violation, refused->message, std::move(refused)};
    }
    const bool own_user = target->user == who.user;
    const std::string key = target->key();
    pool::Pool& pool = worker.pool_for(key, std::move(target));
    const bool has_proof = !std::holds_alternative<auth::NoPassword>(authenticated.proof);
    if (own_user && has_proof) worker.shared(pool).pass_through(std::move(authenticated.proof));

    Worker::NewClient client;
    client.identity.id = worker.process().next_session();
    client.identity.user = who.user;
    client.identity.database = who.database;
    client.identity.address = login.address;
    CancelKey cancel_key = new_cancel_key(who.protocol_minor, login.snapshot->config.peers.id);
    client.identity.cancel_process_id = cancel_key.process_id;
    client.identity.cancel_secret = std::move(cancel_key.secret);
    client.identity.startup = who.settings;
    client.link = std::move(login.link);
    client.unread = login.in;
    client.pool = &pool;
    client.route = route;
    client.slot = std::move(slot);
    client.admission = std::move(admission);
    client.place = std::move(login.place);
    client.worker_place = std::move(login.worker_place);
    client.prelude = std::move(login.out);
    worker.adopt(std::move(client));
    co_return std::nullopt;
}

void log_failure(const Login& login, const Failure& failure) {
    login.worker.metrics().worker().login_failures[failure.reason].add();
    const auto reason = metrics::names_of(LoginFailure{})[static_cast<std::size_t>(failure.reason)];
    const std::string text = "login failed: " + failure.text;
    const std::string address = login.address.to_string();
    log::write_audited(log::Level::warning, "client_login_failed", text,
                       {{"reason", reason},
                        {"user", login.identity.user},
                        {"database", login.identity.database},
                        {"address", address}});
}

}  // namespace

boost::asio::awaitable<void> log_client_in(Worker& worker, net::Descriptor socket, std::size_t listener,
                                           ClientSlot slot, WorkerPlace worker_place) {
    const std::shared_ptr<const Snapshot> snapshot = worker.snapshot();
    // A listener that a reload has taken away; its connections that were accepted last go with it.
    if (listener >= snapshot->config.listeners.size() && listener != console_socket) co_return;
    const TimePoint until = deadline(worker.read_clock(), snapshot->config.limits.login_timeout);
    Login login{.worker = worker,
                .snapshot = snapshot,
                .listener = listener,
                .until = until,
                .link = net::Link::create(worker.reactor(), std::move(socket), net::Side::client),
                .worker_place = std::move(worker_place)};
    login.address = login.link->remote();
    StartupDone startup = co_await read_startup(login);
    Checked failure = std::move(startup.failure);
    if (startup.is_login) failure = co_await establish(login, slot);
    if (!failure) co_return;
    log_failure(login, *failure);
    if (failure->error) {
        wire::write_error(login.out, *failure->error);
        worker.metrics().worker().errors.count(metrics::ErrorOrigin::pgsluice, failure->error->code());
        co_await send(login);
    }
    login.link->close();
}

}  // namespace pgsluice::daemon
