// SUSPEND of the console: see worker_suspend.cpp for what it does to a worker. RESUME ends it: console_pools.hpp.
#pragma once

#include "console_commands.hpp"

namespace pgsluice::daemon {

// Returns when everything has been sent that clients and servers were owed; who does not take it within
// timeouts.suspend is closed then.
boost::asio::awaitable<Done> suspend(ConsoleSession& session);

}  // namespace pgsluice::daemon
