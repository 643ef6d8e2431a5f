#include "console_client.hpp"

#include <pgsluice/admin/console.hpp>
#include <pgsluice/base/log.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>

namespace pgsluice::daemon {

using admin::Command;
using admin::Console;
using admin::Role;
using admin::Verb;

namespace {

// As what is sent to a client that does not read it: the console must not keep it in memory for ever.
constexpr std::chrono::seconds patience{30};

template <class Act>
boost::asio::awaitable<std::invoke_result_t<const Act&, Worker&>> run_there(Worker& there, const Act& act) {
    co_return act(there);
}

// Runs `act` in each worker's loop, one after the other, and tells the results to `take` in this one's. Both are to
// outlive the call; as temporaries with members GCC 12 destroys them twice.
template <class Act, class Take>
boost::asio::awaitable<void> in_each(Worker& worker, const Act& act, const Take& take) {
    for (Worker* each : worker.siblings()) {
        take(co_await boost::asio::co_spawn(each->io(), run_there(*each, act), boost::asio::use_awaitable));
    }
}

boost::asio::awaitable<admin::View> look(Worker& worker) {
    admin::View all;
    const auto act = [](Worker& each) { return each.view(); };
    const auto take = [&](admin::View one) { all.add(std::move(one)); };
    co_await in_each(worker, act, take);
    co_return all;
}

boost::asio::awaitable<bool> kill_client(Worker& worker, SessionId session) {
    bool found = false;
    const auto act = [&](Worker& each) { return each.kill_client(session); };
    const auto take = [&](bool here) { found |= here; };
    co_await in_each(worker, act, take);
    co_return found;
}

boost::asio::awaitable<void> reconnect(Worker& worker, const std::string& database) {
    const auto act = [&](Worker& each) { return each.reconnect(database), true; };
    const auto take = [](bool) {};
    co_await in_each(worker, act, take);
}

// The main thread does as for a signal from outside.
void signal_ourselves(int number) {
    ::kill(getpid(), number);
}

boost::asio::awaitable<std::optional<wire::SqlError>> carry_out(Worker& worker, const Command& command) {
    switch (command.verb) {
        case Verb::reload: signal_ourselves(SIGHUP); co_return std::nullopt;
        case Verb::reconnect: co_await reconnect(worker, command.argument); co_return std::nullopt;
        case Verb::kill_client: {
            std::uint64_t id = 0;
            const char* end = command.argument.data() + command.argument.size();
            const auto read = std::from_chars(command.argument.data(), end, id);
            if (read.ec != std::errc() || read.ptr != end) {
                co_return wire::error("22023", "\"" + command.argument + "\" is no client's id", "",
                                      "SHOW CLIENTS has them in the column \"id\".");
            }
            if (co_await kill_client(worker, SessionId{id})) co_return std::nullopt;
            co_return wire::error("22023", "there is no client " + command.argument);
        }
        case Verb::shutdown:
            if (command.argument != "wait_for_servers" && !command.argument.empty()) {
                co_return wire::error("0A000", "SHUTDOWN " + command.argument + " is not supported", "",
                                      "SHUTDOWN WAIT_FOR_SERVERS lets transactions end, SHUTDOWN does not.");
            }
            signal_ourselves(command.argument.empty() ? SIGQUIT : SIGTERM);
            co_return std::nullopt;
        default: break;
    }
    co_return wire::error("0A000", "not supported");
}

void audit(const Login& login, const Command& command) {
    const std::string address = login.address.to_string();
    log::info("console_command", "a command of the console changes something",
              {{"command", command.tag},
               {"argument", command.argument},
               {"user", login.identity.user},
               {"address", address}});
}

boost::asio::awaitable<void> run(Login& login, Console& console, const Command& command) {
    Worker& worker = login.worker;
    if (command.verb == Verb::show) {
        const admin::View view = co_await look(worker);
        const std::shared_ptr<const Snapshot> snapshot = worker.snapshot();
        const admin::Scene scene{view, snapshot->config, worker.process().metrics.version(), worker.process().draining};
        console.answer_table(scene, login.out);
        co_return;
    }
    audit(login, command);
    if (const auto error = co_await carry_out(worker, command))
        console.answer_error(*error, login.out);
    else
        console.answer_done(login.out);
}

}  // namespace

std::optional<Role> console_role(const config::AdminConsole& console, const std::string& user) {
    const auto names = [&](const std::vector<std::string>& users) {
        return std::find(users.begin(), users.end(), user) != users.end();
    };
    if (names(console.users)) return Role::admin;
    if (names(console.stats_users)) return Role::stats;
    return std::nullopt;
}

boost::asio::awaitable<void> serve_console(Login& login, Role role) {
    Worker& worker = login.worker;
    const std::string address = login.address.to_string();
    log::info("console_connected", "a client of the console logged in",
              {{"user", login.identity.user}, {"address", address}});
    Console console(role);
    Console::greet(worker.process().metrics.version(), login.out);
    std::array<char, 4096> chunk{};
    while (true) {
        if (!login.out.empty()) {
            const error_code error = co_await login.link->write_all(login.out, worker.read_clock() + patience);
            login.out.clear();
            if (error) co_return;
        }
        const Console::Action action = console.resume(login.in, login.out);
        if (std::holds_alternative<Console::Ended>(action)) break;
        if (const auto* asked = std::get_if<Console::Run>(&action)) {
            // A reload may have taken the user's rights away.
            if (console_role(worker.snapshot()->config.console, login.identity.user) != role) {
                wire::write_error(login.out, wire::fatal("57P01", "the rights of this user have changed"));
                break;
            }
            co_await run(login, console, asked->command);
            continue;
        }
        if (!login.out.empty()) continue;
        const Result<std::size_t> got = co_await login.link->read_some(chunk, never);
        if (!got) co_return;
        login.in.append(chunk.data(), *got);
    }
    if (!login.out.empty()) co_await login.link->write_all(login.out, worker.read_clock() + patience);
    login.link->close();
}

}  // namespace pgsluice::daemon
