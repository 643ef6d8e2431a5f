// A client of the console, from the end of its authentication to its end: a coroutine in its worker.
#pragma once

#include "login.hpp"

#include <pgsluice/admin/command.hpp>

#include <boost/asio/awaitable.hpp>

#include <optional>

namespace pgsluice::daemon {

// What this client may do there; nullopt: nothing.
std::optional<admin::Role> console_role(const Login& login, const config::AdminConsole& console);

// Takes over the link and what is unread.
boost::asio::awaitable<void> serve_console(Login& login, admin::Role role);

}  // namespace pgsluice::daemon
