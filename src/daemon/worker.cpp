#include "worker.hpp"

#include "cancel_forward.hpp"
#include "client_login.hpp"
#include "console_session.hpp"
#include "exception_text.hpp"
#include "parser_stack.hpp"
#include "query_log.hpp"
#include "server_dial.hpp"

#include <pgsluice/base/log.hpp>
#include <pgsluice/insight/query_text.hpp>
#include <pgsluice/net/asio.hpp>
#include <pgsluice/sql/session_effect.hpp>

#include <boost/asio/co_spawn.hpp>
#include <pthread.h>

#include <algorithm>

namespace pgsluice::daemon {
namespace {

// Deadlines are as late as this at most. With many sessions the sweep is rarer, so that idle clients cost next to
// nothing.
constexpr Milliseconds tick_interval{50};
constexpr Milliseconds busy_tick_interval{250};
constexpr std::size_t many_sessions = 2000;

void show(metrics::Since& shown, TimePoint since) {
    if (since == never)
        shown.clear();
    else
        shown.set(since);
}

}  // namespace

Worker::Worker(Process& process, WorkerIndex index, std::shared_ptr<const Snapshot> snapshot)
    : process_(process),
      index_(index),
      statements_(
          process.statement_seed, [](ByteView text) { return static_cast<std::uint8_t>(sql::session_effect(text)); },
          number(index)),
      reactor_(io_),
      sets_(process.metrics.add_worker(index)),
      facts_({process.statement_seed.a, process.statement_seed.b},
             {.longest_text = snapshot->config.limits.parse_inline}),
      context_{*this, statements_, parameters_, sets_.worker(), facts_, shortlists_},
      snapshot_(std::move(snapshot)),
      rule_metrics_(snapshot_->config.policies.size()),
      queries_({random_number(), random_number()}, snapshot_->config.insight_max_queries),
      auth_queries_(*this),
      timer_(io_) {}

Worker::~Worker() {
    stop();
}

void Worker::start() {
    const ParserStack stack;
    thread_ = std::thread([this] { run(); });
    // For `top -H` and its like; 15 characters at most.
    pthread_setname_np(thread_.native_handle(), ("worker " + std::to_string(number(index_))).c_str());
}

void Worker::run() {
    sets_.worker().last_tick.set(read_clock());
    fill_minimum_pools();
    schedule_tick();
    io_.run();
}

// Called by the main thread. What is still open then has been given its time.
void Worker::stop() {
    if (!thread_.joinable()) return;
    post([this] {
        stop_listening();
        end_sessions();
        for (const auto& [id, console] : consoles_) console->end();
        auth_queries_.reset();
        timer_.cancel();
        // Last words are written synchronously where the kernel has room; what lingers gets one turn more.
        post([this] { io_.stop(); });
    });
    thread_.join();
    // Those of logins that went through in the last turn.
    end_sessions();
    // Not before: dials under way hold on to their pools.
    pools_.clear();
}

void Worker::end_sessions() {
    while (!sessions_.empty()) sessions_.begin()->second.session->end(metrics::Disconnect::shutdown);
}

net::SocketOptions Worker::socket_options() const {
    const auto& timeouts = snapshot_->config.timeouts;
    return {timeouts.keepalive.idle, timeouts.keepalive.interval, static_cast<int>(timeouts.keepalive.count),
            timeouts.tcp_user};
}

// --- Clients ---------------------------------------------------------------------------------------------------------

void Worker::listen(net::Descriptor socket, std::size_t listener, bool spread) {
    const auto on_accept = [this, listener, spread](net::Descriptor accepted) {
        Worker* chosen = this;
        if (spread) {
            // One acceptor for all.
            chosen =
                siblings_[spread_.next(siblings_.size(), [this](std::size_t i) { return siblings_[i]->clients(); })];
        }
        WorkerPlace place = chosen->take_place();
        if (chosen == this) {
            serve(std::move(accepted), listener, std::move(place));
            return;
        }
        chosen->post([chosen, socket = std::move(accepted), place = std::move(place), listener]() mutable {
            chosen->serve(std::move(socket), listener, std::move(place));
        });
    };
    const auto on_trouble = [this](const net::Error& error) {
        sets_.worker().accept_pauses.add();
        log::warning("accept_paused", error.text);
    };
    acceptors_.push_back(std::make_unique<net::Acceptor>(io_, std::move(socket), on_accept, on_trouble));
}

void Worker::stop_listening() {
    acceptors_.clear();
}

void Worker::serve(net::Descriptor socket, std::size_t listener, WorkerPlace place) {
    sets_.worker().accepted.add();
    ClientSlot slot = listener == console_socket
                          ? ClientSlot()
                          : ClientSlot(process_.clients, snapshot_->config.limits.client_connections);
    if (!slot.may_be_heard()) {
        sets_.worker().login_failures[metrics::LoginFailure::too_many_clients].add();
        return;
    }
    boost::asio::co_spawn(io_, log_client_in(*this, std::move(socket), listener, std::move(slot), std::move(place)),
                          [](const std::exception_ptr& thrown) {
                              if (thrown != nullptr) log::warning("client_login_failed", exception_text(thrown));
                          });
}

void Worker::adopt(NewClient client) {
    read_clock();
    net::Link& link = *client.link;
    const SessionId id = client.identity.id;
    session::Session::Setup setup{std::move(client.identity), net::as_peer(std::move(client.link)), client.pool,
                                  &sets_.route(client.route->name), std::move(client.prelude)};
    auto session = std::make_unique<session::Session>(context_, std::move(setup));
    session::Session& started = *session;
    Client& entry = sessions_[id];
    entry.session = std::move(session);
    entry.slot = std::move(client.slot);
    entry.slot.begin_session();
    entry.admission = std::move(client.admission);
    entry.place = std::move(client.place);
    entry.worker_place = std::move(client.worker_place);
    entry.route = client.route->name;
    entry.pool = &pools_.at(client.pool->key());
    ++entry.pool->clients;
    link.pause(Pause::no_server);
    heed_suspension(link);
    link.start(started, client.unread);
    started.start();
}

void Worker::refresh(session::Session& session, const std::shared_ptr<const session::Rulebook>& rulebook) {
    const auto found = sessions_.find(session.identity().id);
    if (found == sessions_.end()) return;
    const session::Identity& who = session.identity();
    const config::Route* route = snapshot_->route(found->second.route);
    if (route == nullptr) return;
    const Users::Entry* user = snapshot_->find_user(route->cluster, who.user);
    const policy::Principal principal{who.user, who.database, session.application_name(), route->name, who.address};
    session.set_limits(rulebook, snapshot_->timeouts(*route, user),
                       rules_cache_.for_principal(rulebook->policies, principal));
}

void Worker::defer(session::Session& session) {
    post([this, id = session.identity().id] {
        if (const auto found = sessions_.find(id); found != sessions_.end()) found->second.session->on_turn();
    });
}

void Worker::on_verdict(const session::Session& session, const policy::Verdict& verdict, const sql::FactsRef* facts,
                        ByteView text) {
    const sql::Facts* known = facts == nullptr ? nullptr : facts->get();
    for (const policy::RuleIndex rule : verdict.hits) count_verdict(session, rule, known, text);
    if (verdict.rule) count_verdict(session, *verdict.rule, known, text);
}

void Worker::count_verdict(const session::Session& session, policy::RuleIndex rule, const sql::Facts* facts,
                           ByteView text) {
    const auto& policies = snapshot_->config.policies;
    if (session.rulebook() != snapshot_->rulebook) {
        // It still judges by the rules of an older snapshot, so the name decides.
        const std::string& name = session.rulebook()->policies.name(rule);
        const auto found = std::find_if(policies.begin(), policies.end(),
                                        [&](const config::Policy& each) { return each.name == name; });
        if (found == policies.end()) return;
        rule = static_cast<policy::RuleIndex>(found - policies.begin());
    }
    const config::Policy& policy = policies[rule];
    metrics::RuleMetrics*& counted_by = rule_metrics_[rule];
    if (counted_by == nullptr) {
        counted_by = &sets_.rule({policy.name, std::string(name_of(policy.action)), std::string(name_of(policy.mode))});
    }
    counted_by->verdicts.add();
    using config::PolicyAction;
    if (policy.action == PolicyAction::allow) return;
    // A statement that keeps within limits is nothing to tell the log of.
    const bool is_within_limits = policy.action == PolicyAction::limit && policy.mode == config::PolicyMode::enforce;
    const bool is_left_out = policy.action == PolicyAction::log && policy.sample_one_in > 1 &&
                             !is_of_sample(policy.sample_one_in, random(policy.sample_one_in));
    log_verdict(session, policy, facts, text, !is_within_limits && !is_left_out);
}

void Worker::on_limit(const session::Session& session, session::LimitKind kind, const session::Callee& callee) {
    log_limit(session, kind, callee);
}

void Worker::on_call(const session::Session& session, const session::Call& call) {
    const pool::Target& target = session.pool().target();
    const sql::Facts* facts = call.callee.facts.get();
    if (target.query_log.is_on()) log_call(session, call, target.query_log, random(target.query_log.sample_one_in));
    if (!queries_.is_on()) return;
    queries_.record({facts == nullptr ? 0 : facts->fingerprint, target.route, session.identity().user},
                    {.server_time = call.server_time,
                     .wait = call.wait,
                     .rows = call.rows,
                     .bytes = call.bytes,
                     .failed = call.failed_for_client(),
                     .at = std::chrono::system_clock::now(),
                     .trace_id = call.callee.trace_id()},
                    facts == nullptr ? insight::not_parsed : ByteView(facts->normalized));
}

void Worker::on_logged_in(session::Session& session) {
    const session::Identity& who = session.identity();
    const bool is_guessable = who.has_servers_process_id && who.cancel_secret.size() <= 4;
    process_.cancels.add(who.cancel_process_id, who.cancel_secret, {index_, who.id, is_guessable});
    sets_.worker().logins.add();
    Client& client = sessions_.at(who.id);
    client.metrics = &sets_.user({who.database, who.user});
    client.metrics->clients.add();
    client.metrics->logins.add();
    ++ended_totals(who.database).logins;
    const bool is_logged = snapshot_->config.log.connections;
    if (!is_logged && !log::is_audited()) return;
    const std::string address = who.address.to_string();
    const std::initializer_list<log::Field> fields{{"session", static_cast<std::int64_t>(number(who.id))},
                                                   {"user", who.user},
                                                   {"database", who.database},
                                                   {"address", address},
                                                   {"application", session.application_name()},
                                                   {"route", client.route}};
    constexpr std::string_view what = "client logged in";
    if (is_logged) log::info("client_connected", what, fields);
    log::audit(log::Level::info, "client_connected", what, fields);
}

void Worker::on_ended(session::Session& session, metrics::Disconnect reason, const wire::SqlError* error) {
    const session::Identity& who = session.identity();
    const auto found = sessions_.find(who.id);
    Client client = std::move(found->second);
    sessions_.erase(found);
    process_.cancels.remove(who.cancel_process_id, who.id);
    --client.pool->clients;
    const session::Totals& totals = session.totals();
    if (client.metrics != nullptr) {
        count_ended(session);
        client.metrics->clients.sub();
        client.metrics->transactions.add(totals.transactions);
        client.metrics->queries.add(totals.queries);
        client.metrics->bytes_in.add(totals.bytes_in);
        client.metrics->bytes_out.add(totals.bytes_out);
    }
    const auto why = metrics::names_of(metrics::Disconnect{})[static_cast<std::size_t>(reason)];
    const std::string address = who.address.to_string();
    const std::chrono::duration<double> lasted = now() - session.started_at();
    if (client.metrics == nullptr) {
        const bool no_server = error != nullptr && (error->code() == "57P03" || error->code() == "53300");
        const auto failure = reason == metrics::Disconnect::client_lost ? metrics::LoginFailure::client_left
                             : no_server                                ? metrics::LoginFailure::no_server
                                                                        : metrics::LoginFailure::server_rejected;
        sets_.worker().login_failures[failure].add();
        const std::string text = "login failed: " + (error == nullptr ? std::string(why) : error->message);
        log::write_audited(log::Level::warning, "client_login_failed", text,
                           {{"session", static_cast<std::int64_t>(number(who.id))},
                            {"reason", metrics::names_of(metrics::LoginFailure{})[static_cast<std::size_t>(failure)]},
                            {"user", who.user},
                            {"database", who.database},
                            {"address", address},
                            {"sqlstate", error == nullptr ? ByteView() : error->code()}});
    } else if (snapshot_->config.log.disconnections) {
        log::info("client_disconnected", error == nullptr ? ByteView("client disconnected") : ByteView(error->message),
                  {{"session", static_cast<std::int64_t>(number(who.id))},
                   {"reason", why},
                   {"user", who.user},
                   {"database", who.database},
                   {"address", address},
                   {"seconds", lasted.count()},
                   {"transactions", static_cast<std::int64_t>(totals.transactions)},
                   {"queries", static_cast<std::int64_t>(totals.queries)},
                   {"bytes_in", static_cast<std::int64_t>(totals.bytes_in)},
                   {"bytes_out", static_cast<std::int64_t>(totals.bytes_out)},
                   {"sqlstate", error == nullptr ? ByteView() : error->code()}});
    }
    reactor_.retire(std::move(client.session));
}

void Worker::cancel(SessionId session, session::CancelToken token) {
    const auto found = sessions_.find(session);
    if (found != sessions_.end()) found->second.session->cancel(std::move(token));
    // The token is let go of at once: the command hears of it a little later.
    if (const auto console = consoles_.find(session); console != consoles_.end()) console->second->cancel();
}

void Worker::drain() {
    // drain() may end a session, which takes it out of the map.
    std::vector<SessionId> ids;
    ids.reserve(sessions_.size());
    for (const auto& [id, client] : sessions_) ids.push_back(id);
    for (const SessionId id : ids) {
        if (const auto found = sessions_.find(id); found != sessions_.end()) found->second.session->drain();
    }
}

// --- Time ------------------------------------------------------------------------------------------------------------

void Worker::schedule_tick() {
    const Milliseconds interval = sessions_.size() > many_sessions ? busy_tick_interval : tick_interval;
    next_tick_ = now() + interval;
    timer_.expires_at(next_tick_);
    timer_.async_wait([this](const error_code& error) {
        if (!error) tick();
    });
}

void Worker::tick() {
    const TimePoint at = read_clock();
    sets_.worker().last_tick.set(at);
    sets_.worker().loop_lag.observe(std::chrono::duration_cast<Microseconds>(at - next_tick_));
    sweep(at);
    schedule_tick();
}

void Worker::sweep(TimePoint at) {
    if (!suspended_ && at >= limits_hold_from_) sweep_connections(at);
    auth_queries_.sweep(at);
    cancel_forwards_.sweep(at);
    end_period(at);
}

void Worker::sweep_connections(TimePoint at) {
    std::vector<SessionId> paused;
    std::vector<SessionId> due;
    for (const auto& [id, client] : sessions_) {
        if (client.session->state() == metrics::ClientState::waiting || !client.session->is_ready())
            paused.push_back(id);
        due.push_back(id);
    }
    // Each of these may end sessions, so they are looked up again.
    for (const SessionId id : due) {
        if (const auto found = sessions_.find(id); found != sessions_.end()) found->second.session->sweep(at);
    }
    for (const SessionId id : paused) {
        if (const auto found = sessions_.find(id); found != sessions_.end()) {
            static_cast<net::Link&>(found->second.session->client()).check_paused();
        }
    }
    for (auto& [key, entry] : pools_) entry.pool->sweep(at);
    show_waits();
    show_pins();
    drop_unused_pools(at);
}

// Pools of one set of metrics show the longest wait of all of them.
void Worker::show_waits() {
    boost::container::flat_map<metrics::PoolMetrics*, TimePoint> since;
    for (auto& [key, entry] : pools_) {
        const TimePoint waited = entry.pool->waited_since();
        if (waited == never && !entry.shows_wait) continue;
        entry.shows_wait = waited != never;
        TimePoint& oldest = since.try_emplace(&entry.pool->metrics(), never).first->second;
        oldest = std::min(oldest, waited);
    }
    for (const auto& [set, oldest] : since) show(set->oldest_waiter, oldest);
}

void Worker::show_pins() {
    for (auto& [set, oldest] : oldest_pins_) oldest = never;
    for (const auto& [id, client] : sessions_) {
        if (!client.session->pins().any()) continue;
        TimePoint& oldest = oldest_pins_.try_emplace(&client.session->metrics(), never).first->second;
        oldest = std::min(oldest, client.session->pinned_since());
    }
    for (const auto& [set, oldest] : oldest_pins_) show(set->oldest_pin, oldest);
}

}  // namespace pgsluice::daemon
