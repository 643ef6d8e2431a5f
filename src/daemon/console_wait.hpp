// How a command of the console waits for all workers, with an ear for its client.
#pragma once

#include "console_session.hpp"
#include "each_worker.hpp"

#include <array>

namespace pgsluice::daemon {

enum class Waited : std::uint8_t { done, called_off, cancelled, client_left };

inline wire::SqlError cancelled() {
    return wire::error("57014", "canceling statement due to user request");
}

// Until nothing of it is left, or `goes_on` says no. Bytes of the client that come meanwhile are kept; where it goes or
// cancels, the wait is over.
template <class Count, class GoesOn>
boost::asio::awaitable<Waited> wait_until_none(ConsoleSession& session, const Count& count, const GoesOn& goes_on) {
    Login& login = session.login();
    constexpr Milliseconds interval{50};
    constexpr std::size_t most_unread = 64 * 1024;
    std::array<char, 4096> chunk{};
    while (co_await sum_of_each(login.worker, count) > 0) {
        const auto got = co_await login.link->read_some(chunk, login.worker.read_clock() + interval);
        if (got)
            login.in.append(chunk.data(), *got);
        else if (got.error() != boost::system::errc::timed_out)
            co_return Waited::client_left;
        if (login.in.size() > most_unread) co_return Waited::client_left;
        if (session.is_cancelled()) co_return Waited::cancelled;
        if (!goes_on()) co_return Waited::called_off;
    }
    co_return goes_on() ? Waited::done : Waited::called_off;
}

// Returns when each worker knows what is paused and suspended now.
boost::asio::awaitable<void> obey_gates(Worker& worker);

}  // namespace pgsluice::daemon
