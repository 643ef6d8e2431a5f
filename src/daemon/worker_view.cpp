// What the worker shows of itself to whoever asks, and its sums over periods.
#include "console_session.hpp"
#include "worker.hpp"

#include <pgsluice/protocol/inspection.hpp>

#include <chrono>

namespace pgsluice::daemon {
namespace {

// Names come from clients that servers have accepted, and still must not fill the memory.
constexpr std::size_t most_databases = 1000;

std::int64_t micros(TimePoint when) {
    using std::chrono::system_clock;
    const auto ago = std::chrono::duration_cast<Microseconds>(std::chrono::steady_clock::now() - when);
    return std::chrono::duration_cast<Microseconds>(system_clock::now().time_since_epoch() - ago).count();
}

std::string_view replication_of(const pool::Target& target) {
    if (!target.is_replication()) return "none";
    return target.is_physical_replication() ? "physical" : "logical";
}

admin::PoolName name_of(const pool::Target& target) {
    return {target.route, target.database, target.user};
}

std::string application_of(const protocol::ParameterSet& settings) {
    const protocol::Parameter* name = settings.find("application_name");
    return name == nullptr ? std::string() : name->value;
}

admin::Totals totals_of(const session::Totals& totals) {
    const auto count = [](Microseconds time) { return static_cast<std::uint64_t>(time.count()); };
    admin::Totals out;
    out.assignments = totals.assignments;
    out.transactions = totals.transactions;
    out.queries = totals.queries;
    out.bytes_in = totals.bytes_in;
    out.bytes_out = totals.bytes_out;
    out.transaction_time = count(totals.transaction_time);
    out.query_time = count(totals.query_time);
    out.wait_time = count(totals.wait_time);
    out.client_parses = totals.client_parses;
    out.server_parses = totals.server_parses;
    out.binds = totals.binds;
    return out;
}

admin::SettingsView settings_of(const protocol::ParameterSet* settings) {
    if (settings == nullptr) return {};
    const auto value_of = [&](ByteView name) {
        const protocol::Parameter* found = settings->find(name);
        return found == nullptr ? std::string() : found->value;
    };
    return {value_of("client_encoding"), value_of("standard_conforming_strings"), value_of("DateStyle"),
            value_of("TimeZone")};
}

admin::ClientView view_of(session::Session& session, TimePoint now) {
    const session::Identity& who = session.identity();
    const pool::Target& target = session.pool().target();
    const auto& link = static_cast<const net::Link&>(session.client());
    admin::ClientView view;
    view.id = number(who.id);
    view.user = who.user;
    view.database = who.database;
    view.application_name = session.application_name();
    view.pool = name_of(target);
    view.state = session.state();
    view.replication = replication_of(target);
    view.address = who.address;
    view.local_port = link.local_port();
    view.tls = link.tls_name();
    view.connected_at = micros(session.started_at());
    view.active_at = micros(session.active_at());
    if (session.state() == metrics::ClientState::waiting) {
        view.waits_for = std::chrono::duration_cast<Microseconds>(now - session.waiting_since()).count();
    }
    if (const pool::Server* server = session.server()) {
        view.server = number(server->facts().id);
        view.held_at = micros(server->since());
    }
    view.prepared_statements = session.prepared_statements();
    for (std::size_t i = 0; i < protocol::pin_count; ++i) {
        if (session.pins().has(static_cast<protocol::Pin>(i))) view.pins.push_back(names_of(metrics::PinReason{})[i]);
    }
    view.descriptor = link.descriptor();
    if (!view.pins.empty()) view.pinned_at = micros(session.pinned_since());
    if (session.busy_since() != never) view.transaction_at = micros(session.busy_since());
    return view;
}

admin::ServerView view_of(pool::Server& server, const pool::Target& target) {
    const auto& link = static_cast<const net::Link&>(server.link());
    admin::ServerView view;
    view.id = number(server.facts().id);
    view.pool = name_of(target);
    view.state = server.state();
    view.replication = replication_of(target);
    view.label = server.facts().label;
    view.tls = link.tls_name();
    view.application_name = application_of(*server.has());
    view.connected_at = micros(server.facts().opened_at);
    view.active_at = micros(server.since());
    view.process_id = server.facts().process_id;
    view.prepared_statements = server.statements().size();
    view.is_to_be_closed = server.is_doomed();
    view.descriptor = link.descriptor();
    return view;
}

}  // namespace

admin::Totals& Worker::ended_totals(const std::string& database) {
    const bool has_room = ended_.size() < most_databases || ended_.contains(database);
    return ended_[has_room ? database : "other"];
}

void Worker::count_ended(const session::Session& session) {
    ended_totals(session.identity().database) += totals_of(session.totals());
}

admin::TotalsByDatabase Worker::totals() const {
    admin::TotalsByDatabase all = ended_;
    for (const auto& [id, client] : sessions_) {
        if (client.metrics == nullptr) continue;
        const std::string& database = client.session->identity().database;
        all[all.contains(database) ? database : "other"] += totals_of(client.session->totals());
    }
    return all;
}

void Worker::end_period(TimePoint at) {
    if (at < next_period_) return;
    next_period_ = at + std::chrono::seconds(admin::period_seconds);
    admin::TotalsByDatabase now = totals();
    last_period_.clear();
    for (const auto& [database, totals] : now) {
        const auto before = period_began_.find(database);
        last_period_[database] = before == period_began_.end() ? totals : totals - before->second;
    }
    period_began_ = std::move(now);
}

admin::View Worker::view(admin::Look how) {
    const bool with_settings = how == admin::Look::with_settings;
    admin::View view;
    const TimePoint at = read_clock();
    std::map<std::uint64_t, std::uint64_t> client_of;
    for (const auto& [id, client] : sessions_) {
        if (client.metrics == nullptr) continue;  // its login has not ended
        view.clients.push_back(view_of(*client.session, at));
        if (with_settings) view.clients.back().settings = settings_of(client.session->wanted_settings());
        if (view.clients.back().server != 0) client_of[view.clients.back().server] = view.clients.back().id;
    }
    for (const auto& [id, console] : consoles_) {
        view.consoles.push_back(console->view(micros(console->connected_at()), micros(console->active_at())));
        view.consoles.back().tls = console->login().link->tls_name();
    }
    for (auto& [key, entry] : pools_) {
        const pool::Target& target = entry.pool->target();
        view.pools.push_back({name_of(target), target.settings.mode, entry.pool->dialing(), target.settings.size});
        entry.pool->each_server([&](pool::Server& server) {
            admin::ServerView& shown = view.servers.emplace_back(view_of(server, target));
            if (with_settings) shown.settings = settings_of(server.has().get());
            if (const auto lent = client_of.find(shown.id); lent != client_of.end()) shown.client = lent->second;
        });
    }
    view.totals = totals();
    view.last_period = last_period_;
    if (how == admin::Look::with_queries) view.queries = queries_.picture();
    return view;
}

void Worker::add_console(ConsoleSession& console) {
    consoles_.emplace(console.id(), &console);
}

void Worker::remove_console(SessionId id) {
    consoles_.erase(id);
}

bool Worker::kill_client(SessionId session) {
    read_clock();
    if (const auto console = consoles_.find(session); console != consoles_.end()) {
        console->second->end();
        return true;
    }
    const auto found = sessions_.find(session);
    if (found == sessions_.end()) return false;
    const auto error = wire::fatal("57P01", "terminating connection due to administrator command");
    found->second.session->end(metrics::Disconnect::killed, &error);
    return true;
}

template <class Act>
void Worker::each_pool(const Databases& databases, Act act) {
    read_clock();
    for (auto& [key, entry] : pools_) {
        if (databases.empty() || databases.contains(entry.pool->target().database)) act(*entry.pool);
    }
}

void Worker::reconnect(const Databases& databases, pool::Generation from) {
    each_pool(databases, [from](pool::Pool& pool) { pool.reconnect(from); });
}

void Worker::obey_gates() {
    each_pool({}, [this](pool::Pool& pool) { obey_gates(pool); });
    obey_suspension();
}

void Worker::obey_gates(pool::Pool& pool) {
    const bool is_paused = process_.gates.is_paused(pool.target().database);
    if (is_paused && !pool.is_paused()) pool.pause();
    if (!is_paused) pool.resume();
}

void Worker::kill_clients(const Databases& databases) {
    std::vector<SessionId> ids;
    for (const auto& [id, client] : sessions_) {
        if (databases.empty() || databases.contains(client.session->pool().target().database)) ids.push_back(id);
    }
    for (const SessionId id : ids) kill_client(id);
}

std::size_t Worker::open_servers(const Databases& databases) {
    std::size_t count = 0;
    each_pool(databases, [&](pool::Pool& pool) { count += pool.dialing() + pool.share().servers(); });
    return count;
}

std::size_t Worker::servers_to_close(const Databases& databases) {
    std::size_t count = 0;
    each_pool(databases, [&](pool::Pool& pool) {
        count += pool.share().outdated();
        pool.each_server([&](const pool::Server& server) { count += server.is_doomed() ? 1 : 0; });
    });
    return count;
}

}  // namespace pgsluice::daemon
