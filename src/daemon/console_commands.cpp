#include "console_commands.hpp"

#include "console_pools.hpp"
#include "console_suspend.hpp"
#include "each_worker.hpp"

#include <pgsluice/net/asio.hpp>

#include <boost/asio/steady_timer.hpp>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdint>
#include <fstream>

namespace pgsluice::daemon {

using admin::Command;
using admin::Verb;

namespace {

boost::asio::awaitable<bool> kill_client(Worker& worker, SessionId session) {
    const auto act = [&](Worker& each) { return std::size_t{each.kill_client(session)}; };
    co_return co_await sum_of_each(worker, act) > 0;
}

// The main thread does as for a signal from outside.
void signal_ourselves(int number) {
    ::kill(getpid(), number);
}

Done disable(Worker& worker, const std::string& database) {
    if (!admin::is_routed(worker.snapshot()->config, database)) return {unknown_database(database)};
    worker.process().gates.disable(database);
    return {};
}

boost::asio::awaitable<Done> kill_one(Login& login, const std::string& client) {
    std::uint64_t id = 0;
    const char* end = client.data() + client.size();
    const auto read = std::from_chars(client.data(), end, id);
    if (read.ec != std::errc() || read.ptr != end) {
        co_return Done{wire::error("22023", "\"" + client + "\" is no client's id", "",
                                   "SHOW CLIENTS has them in the column \"id\".")};
    }
    if (co_await kill_client(login.worker, SessionId{id})) co_return Done{};
    co_return Done{wire::error("22023", "there is no client " + client)};
}

wire::SqlError refusal(const config::NotSet& refused) {
    using Why = config::NotSet::Why;
    switch (refused.why) {
        case Why::unknown_key: return wire::error("42704", refused.text, "", "SHOW CONFIG lists the keys.");
        case Why::restart_only: return wire::error("55P02", refused.text);
        case Why::files_only:
            return wire::error("55P02", refused.text, "",
                               "SET takes what SHOW CONFIG calls changeable; RELOAD reads the files again.");
        case Why::bad_value: break;
    }
    return wire::error("22023", refused.text);
}

// The main thread does it, and this one hears of it.
boost::asio::awaitable<Done> configure(Worker& worker, const Command& command) {
    boost::asio::steady_timer timer(worker.io(), never);
    struct Wait {
        Worker& worker;
        boost::asio::steady_timer& timer;
        Done done{};
    };
    const auto wait = std::make_shared<Wait>(Wait{worker, timer});
    const auto tell = [waiting = std::weak_ptr(wait)](std::optional<config::NotSet> refused) {
        const auto still = waiting.lock();
        if (still == nullptr) return;
        still->worker.post([waiting, refused = std::move(refused)] {
            const auto here = waiting.lock();
            if (here == nullptr) return;
            if (refused) here->done.error = refusal(*refused);
            here->timer.cancel();
        });
    };
    worker.process().orders->set(command.argument, command.value, tell);
    co_await timer.async_wait(net::as_tuple);
    co_return std::move(wait->done);
}

Done shut_down(Process& process, const std::string& how) {
    if (how.empty()) {
        signal_ourselves(SIGQUIT);
    } else if (how == "wait_for_servers") {
        signal_ourselves(SIGTERM);
    } else if (how == "wait_for_clients") {
        process.orders->end_without_clients();
    } else {
        return {wire::error("42601", "SHUTDOWN " + how + " is unknown", "",
                            "There are SHUTDOWN, SHUTDOWN WAIT_FOR_SERVERS and SHUTDOWN WAIT_FOR_CLIENTS.")};
    }
    return {};
}

std::uint64_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::uint64_t total = 0, resident = 0;
    file >> total >> resident;
    return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

boost::asio::awaitable<admin::View> look(Worker& worker, admin::Look how) {
    admin::View all;
    const auto act = [how](Worker& each) { return each.view(how); };
    const auto take = [&](admin::View one) { all.add(std::move(one)); };
    co_await in_each(worker, act, take);
    co_return all;
}

admin::Scene scene_of(Process& process, const admin::View& view, const Snapshot& snapshot) {
    Gates::State gates = process.gates.state();
    return {view,
            snapshot.config,
            process.metrics.version(),
            process.draining,
            gates.all_paused,
            std::move(gates.paused),
            std::move(gates.disabled),
            gates.suspended,
            resident_bytes()};
}

boost::asio::awaitable<Done> carry_out(ConsoleSession& session, const Command& command) {
    Login& login = session.login();
    Gates& gates = login.worker.process().gates;
    switch (command.verb) {
        case Verb::reload: signal_ourselves(SIGHUP); co_return Done{};
        case Verb::shutdown: co_return shut_down(login.worker.process(), command.argument);
        case Verb::configure: co_return co_await configure(login.worker, command);
        case Verb::kill_client: co_return co_await kill_one(login, command.argument);
        case Verb::disable: co_return disable(login.worker, command.argument);
        case Verb::enable:
            if (!gates.is_disabled(command.argument)) co_return Done{is_not("it is not disabled")};
            gates.enable(command.argument);
            co_return Done{};
        case Verb::suspend: co_return co_await suspend(session);
        case Verb::reconnect:
        case Verb::pause:
        case Verb::resume:
        case Verb::kill:
        case Verb::wait_close: co_return co_await act_on_pools(session, command);
        default: break;
    }
    co_return Done{wire::error("0A000", "not supported")};
}

}  // namespace pgsluice::daemon
