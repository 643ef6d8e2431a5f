#include "console_client.hpp"

#include "console_commands.hpp"

#include <pgsluice/admin/console.hpp>
#include <pgsluice/base/log.hpp>

#include <algorithm>

namespace pgsluice::daemon {

using admin::Command;
using admin::Console;
using admin::Role;
using admin::Verb;

namespace {

// With a client that does not read what it is sent: it must not be kept in memory for ever.
constexpr std::chrono::seconds patience{30};

// Workers are asked only where the command asks them as well: one that hangs must not keep a SHUTDOWN from being told.
boost::asio::awaitable<void> audit(ConsoleSession& session, const Command& command) {
    Login& login = session.login();
    admin::View view;
    if (admin::names_pools(command)) view = co_await look(login.worker);
    const std::shared_ptr<const Snapshot> snapshot = login.worker.snapshot();
    const std::string argument = admin::understood_argument(command, scene_of(login.worker.process(), view, *snapshot));
    const std::string address = login.address.to_string();
    log::write_audited(log::Level::info, "console_command", "a command of the console changes something",
                       {{"session", static_cast<std::int64_t>(number(session.id()))},
                        {"command", command.tag},
                        {"argument", argument},
                        {"user", login.identity.user},
                        {"address", address}});
}

// How long it may be silent, as of now: by its own socket for ever.
Milliseconds client_idle(const Login& login) {
    if (login.is_by_console_socket()) return Milliseconds(0);
    const std::shared_ptr<const Snapshot>& snapshot = login.worker.snapshot();
    const Users::Entry* user = snapshot->find_user({}, login.identity.user);
    const Milliseconds for_all = snapshot->config.timeouts.client.client_idle;
    return user == nullptr ? for_all : user->timeouts.client_idle.value_or(for_all);
}

// False: the client has gone.
boost::asio::awaitable<bool> run(ConsoleSession& session, Console& console, const Command& command) {
    Login& login = session.login();
    session.begin_command();
    if (command.verb == Verb::show) {
        const admin::View view = co_await look(login.worker, admin::look_of(command));
        const std::shared_ptr<const Snapshot> snapshot = login.worker.snapshot();
        console.answer_table(scene_of(login.worker.process(), view, *snapshot), login.out);
        session.end_command();
        co_return true;
    }
    co_await audit(session, command);
    const Done done = co_await carry_out(session, command);
    session.end_command();
    if (done.client_left) co_return false;
    if (done.notice) wire::write_error(login.out, *done.notice);
    if (done.error)
        console.answer_error(*done.error, login.out);
    else
        console.answer_done(login.out);
    co_return true;
}

}  // namespace

std::optional<Role> console_role(const Login& login, const config::AdminConsole& console) {
    const auto names = [&](const std::vector<std::string>& users) {
        return std::find(users.begin(), users.end(), login.identity.user) != users.end();
    };
    if (login.is_by_console_socket()) return Role::admin;
    if (names(console.users)) return Role::admin;
    if (names(console.stats_users)) return Role::stats;
    return std::nullopt;
}

boost::asio::awaitable<void> serve_console(Login& login, Role role) {
    Worker& worker = login.worker;
    ConsoleSession session(login);
    const std::string address = login.address.to_string();
    log::write_audited(log::Level::info, "console_connected", "a client of the console logged in",
                       {{"session", static_cast<std::int64_t>(number(session.id()))},
                        {"user", login.identity.user},
                        {"address", address}});
    Console console(role);
    Console::greet(worker.process().metrics.version(), session.key().process_id, session.key().secret, login.out);
    std::array<char, 4096> chunk{};
    TimePoint silent_since = worker.read_clock();
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
            if (console_role(login, worker.snapshot()->config.console) != role) {
                wire::write_error(login.out, wire::fatal("57P01", "the rights of this user have changed"));
                break;
            }
            if (!co_await run(session, console, asked->command)) co_return;
            silent_since = worker.read_clock();
            continue;
        }
        if (!login.out.empty()) continue;
        const TimePoint now = worker.read_clock();
        const Result<std::size_t> got = co_await login.link->read_some(chunk, now + Milliseconds(1000));
        if (got) {
            login.in.append(chunk.data(), *got);
            silent_since = worker.read_clock();
        } else if (got.error() != boost::system::errc::timed_out) {
            co_return;
        } else if (worker.is_suspended()) {
            silent_since = now;  // whoever has brought all to a stand is to let it go on
        } else if (deadline(silent_since, client_idle(login)) <= worker.read_clock()) {
            wire::write_error(login.out, wire::fatal("57P05", "terminating connection due to idle-session timeout"));
            break;
        }
    }
    if (!login.out.empty()) co_await login.link->write_all(login.out, worker.read_clock() + patience);
    login.link->close();
}

}  // namespace pgsluice::daemon
