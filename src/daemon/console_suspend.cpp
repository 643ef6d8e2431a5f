#include "console_suspend.hpp"

#include "console_pools.hpp"
#include "console_wait.hpp"

namespace pgsluice::daemon {

namespace {

boost::asio::awaitable<void> take_back(Worker& worker) {
    worker.process().gates.end_suspension();
    co_await obey_gates(worker);
}

}  // namespace

boost::asio::awaitable<Done> suspend(ConsoleSession& session) {
    Worker& worker = session.login().worker;
    Gates& gates = worker.process().gates;
    const Gates::State before = gates.state();
    if (before.suspended) co_return Done{is_not("it is suspended already")};
    if (before.all_paused) co_return Done{all_is("paused")};
    // Clients could not end their transactions, nor be seen to leave.
    if (worker.process().draining) co_return Done{is_not("the process is ending")};
    const Milliseconds patience = worker.snapshot()->config.timeouts.suspend;
    const TimePoint until = deadline(worker.read_clock(), patience);
    gates.suspend();
    const std::uint64_t mine = gates.changes();
    co_await obey_gates(worker);
    const auto count = [](Worker& each) { return each.unflushed(); };
    const auto goes_on = [&] { return gates.is_suspended() && worker.read_clock() < until; };
    const Waited waited = co_await wait_until_none(session, count, goes_on);
    const bool has_changed_his_mind = waited == Waited::cancelled || waited == Waited::client_left;
    if (has_changed_his_mind && gates.changes() == mine) co_await take_back(worker);
    if (waited == Waited::cancelled) co_return Done{cancelled()};
    if (waited == Waited::client_left) co_return Done{.client_left = true};
    if (!gates.is_suspended()) co_return Done{is_not("it has been resumed meanwhile")};
    const auto close = [](Worker& each) { each.close_unflushed(); };
    if (waited == Waited::called_off) co_await do_in_each(worker, close);
    co_return Done{};
}

}  // namespace pgsluice::daemon
