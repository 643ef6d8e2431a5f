#include "console_pools.hpp"

#include "console_wait.hpp"

#include <algorithm>

namespace pgsluice::daemon {

using admin::Command;
using admin::Verb;
using Databases = Worker::Databases;

wire::SqlError unknown_database(const std::string& name) {
    return wire::error("3D000", "there is no database \"" + name + "\"", "",
                       "SHOW DATABASES lists those that routes name and clients use.");
}

wire::SqlError is_not(const std::string& what) {
    return wire::error("55000", what);
}

wire::SqlError all_is(const std::string& what) {
    return wire::error("55000", "all databases are " + what, "", "RESUME without a name ends that.");
}

namespace {

boost::asio::awaitable<Databases> servers_names(Worker& worker, const std::string& database) {
    const admin::View view = co_await look(worker);
    const std::shared_ptr<const Snapshot> snapshot = worker.snapshot();
    co_return admin::server_names(scene_of(worker.process(), view, *snapshot), database);
}

boost::asio::awaitable<void> resume(Worker& worker, const Databases& databases) {
    for (const std::string& each : databases) worker.process().gates.resume(each);
    if (databases.empty()) worker.process().gates.resume_all();
    co_await obey_gates(worker);
}

// Returns how often anything had been changed by then: what others change while workers are told is theirs already.
boost::asio::awaitable<std::uint64_t> close_gates(Worker& worker, const Databases& databases) {
    for (const std::string& each : databases) worker.process().gates.pause(each);
    if (databases.empty()) worker.process().gates.pause_all();
    const std::uint64_t changes = worker.process().gates.changes();
    co_await obey_gates(worker);
    co_return changes;
}

bool are_paused(Worker& worker, const Databases& databases) {
    const Gates::State state = worker.process().gates.state();
    if (state.all_paused || databases.empty()) return state.all_paused;
    return std::all_of(databases.begin(), databases.end(),
                       [&](const std::string& each) { return state.paused.contains(each); });
}

// Returns when no transaction is open any more. Whoever asked and goes or cancels meanwhile has changed his mind:
// clients must not wait for somebody who is not there. What others have changed since is theirs.
boost::asio::awaitable<Done> pause(ConsoleSession& session, const Databases& databases) {
    Worker& worker = session.login().worker;
    if (are_paused(worker, databases)) co_return Done{is_not("it is paused already")};
    // No transaction ends while nobody is heard.
    if (worker.process().gates.is_suspended()) co_return Done{all_is("suspended")};
    const std::uint64_t mine = co_await close_gates(worker, databases);
    const auto count = [&](Worker& each) { return each.open_servers(databases); };
    const auto goes_on = [&] { return are_paused(worker, databases); };
    const Waited waited = co_await wait_until_none(session, count, goes_on);
    if (waited == Waited::called_off) co_return Done{is_not("it has been resumed meanwhile")};
    if (waited == Waited::done) co_return Done{};
    if (worker.process().gates.changes() == mine) {
        for (const std::string& each : databases) worker.process().gates.resume(each);
        if (databases.empty()) worker.process().gates.unpause_all();
        co_await obey_gates(worker);
    }
    if (waited == Waited::cancelled) co_return Done{cancelled()};
    co_return Done{.client_left = true};
}

boost::asio::awaitable<Done> kill(Login& login, const Databases& databases) {
    co_await close_gates(login.worker, databases);
    const auto act = [&](Worker& each) { each.kill_clients(databases); };
    co_await do_in_each(login.worker, act);
    co_return Done{};
}

boost::asio::awaitable<Done> wait_close(ConsoleSession& session, const Databases& databases) {
    const auto count = [&](Worker& each) { return each.servers_to_close(databases); };
    const auto goes_on = [] { return true; };
    const Waited waited = co_await wait_until_none(session, count, goes_on);
    if (waited == Waited::cancelled) co_return Done{cancelled()};
    co_return Done{.client_left = waited == Waited::client_left};
}

boost::asio::awaitable<Done> end_pause(Worker& worker, const Databases& databases) {
    const Gates::State state = worker.process().gates.state();
    if (!databases.empty() && state.suspended) co_return Done{all_is("suspended")};
    if (!databases.empty() && state.all_paused) co_return Done{all_is("paused")};
    const bool is_any = std::any_of(databases.begin(), databases.end(),
                                    [&](const std::string& each) { return state.paused.contains(each); });
    if (databases.empty() ? !state.holds_anything() : !is_any) co_return Done{is_not("it is not paused")};
    co_await resume(worker, databases);
    co_return Done{};
}

// Who pauses what nobody has used means those who come; or has mistyped it, and is told.
wire::SqlError nobody_uses(const std::string& database) {
    return wire::notice("nobody has used database \"" + database + "\" yet", "", "Who comes waits for RESUME.");
}

}  // namespace

boost::asio::awaitable<Done> act_on_pools(ConsoleSession& session, const Command& command) {
    Login& login = session.login();
    Worker& worker = login.worker;
    Databases databases;
    if (!command.argument.empty()) {
        databases = co_await servers_names(worker, command.argument);
        // What is paused may be known to nobody any more.
        const bool ends = command.verb == Verb::resume;
        if (ends && worker.process().gates.state().paused.contains(command.argument))
            databases.insert(command.argument);
        const bool pauses = command.verb == Verb::pause || command.verb == Verb::kill;
        if (databases.empty() && pauses && admin::is_handed_on(worker.snapshot()->config, command.argument)) {
            databases.insert(command.argument);
            co_await close_gates(worker, databases);
            co_return Done{.notice = nobody_uses(command.argument)};
        }
        if (databases.empty()) co_return Done{unknown_database(command.argument)};
    }
    switch (command.verb) {
        case Verb::pause: co_return co_await pause(session, databases);
        case Verb::kill: co_return co_await kill(login, databases);
        case Verb::wait_close: co_return co_await wait_close(session, databases);
        case Verb::resume: co_return co_await end_pause(worker, databases);
        default: break;
    }
    const pool::Generation from = worker.process().next_generation();
    const auto act = [&](Worker& each) { each.reconnect(databases, from); };
    co_await do_in_each(worker, act);
    co_return Done{};
}

}  // namespace pgsluice::daemon
