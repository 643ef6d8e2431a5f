#include "console_wait.hpp"

namespace pgsluice::daemon {

boost::asio::awaitable<void> obey_gates(Worker& worker) {
    const auto act = [](Worker& each) { each.obey_gates(); };
    co_await do_in_each(worker, act);
}

}  // namespace pgsluice::daemon
