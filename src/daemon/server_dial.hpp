// Gets a pool one more server connection: picks a server of the cluster as libpq does, connects, checks its role, runs
// connect_query, and hands it to the pool.
#pragma once

#include <pgsluice/pool/pool.hpp>

#include <boost/asio/awaitable.hpp>

namespace pgsluice::daemon {

class Worker;

// `pool` holds a permit for the connection and outlives the call: it counts the dial until on_dialed or on_dial_failed.
boost::asio::awaitable<void> dial_server(Worker& worker, pool::Pool& pool);

}  // namespace pgsluice::daemon
