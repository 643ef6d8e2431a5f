// Gets a pool one more server connection: picks a server of the cluster as libpq does, connects, checks its role, runs
// connect_query, and hands it to the pool.
#pragma once

#include "server_places.hpp"

#include <pgsluice/net/link.hpp>
#include <pgsluice/pool/pool.hpp>
#include <pgsluice/wire/sql_error.hpp>

#include <boost/asio/awaitable.hpp>

#include <exception>
#include <memory>

namespace pgsluice::daemon {

// What a dial has come to: a server, or an error.
struct Dialed {
    HeldPlaces held;  // the server's
    std::unique_ptr<pool::Server> server;
    net::Link* link = nullptr;  // the server's, in its setup phase
    wire::SqlError error;       // without a server: for the clients that wait
    bool is_temporary = false;
};

// `pool` holds a permit for the connection and outlives the call: it counts the dial until on_dialed or on_dial_failed.
boost::asio::awaitable<Dialed> dial_server(Worker& worker, pool::Pool& pool);
// Tells the pool, whichever way the coroutine ended: one that is told nothing keeps the permit, and counts the dial,
// for ever.
void end_dial(Worker& worker, pool::Pool& pool, const std::exception_ptr& thrown, Dialed dialed);

}  // namespace pgsluice::daemon
