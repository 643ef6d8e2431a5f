// Sends one cancel request to whoever listens at the end of `route`, a server or another pgsluice, and waits until it
// closes the connection, which it does when the cancel has been carried out. For at most timeouts.cancel. A failure is
// logged and counted here: nobody can be told. True: the request was sent.
#pragma once

#include "server_connection.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>

namespace pgsluice::daemon {

class Worker;

boost::asio::awaitable<bool> deliver_cancel(Worker& worker, ServerRoute route, std::int32_t process_id, Bytes secret);

}  // namespace pgsluice::daemon
