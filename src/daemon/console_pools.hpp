// The commands of the console that concern pools: RECONNECT, PAUSE, RESUME, KILL, WAIT_CLOSE.
#pragma once

#include "console_commands.hpp"

namespace pgsluice::daemon {

boost::asio::awaitable<Done> act_on_pools(ConsoleSession& session, const admin::Command& command);

// For whoever names a database that no route takes.
wire::SqlError unknown_database(const std::string& name);
// What is to be ended, or begun, is over already.
wire::SqlError is_not(const std::string& what);
// Something that holds everything stands in the way.
wire::SqlError all_is(const std::string& what);

}  // namespace pgsluice::daemon
