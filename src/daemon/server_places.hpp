// The places that a connection to a server needs beside its pool's permit: one of the server's (clusters.NAME
// .max_connections and max_connecting), and one of its user's (limits.server_connections_per_user).
#pragma once

#include "worker.hpp"

#include <pgsluice/pool/upstream.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace pgsluice::daemon {

enum class PlacesTaken : std::uint8_t { all, server_is_full, user_is_full };

// Waits for both; none is held while the other is waited for, so that no two wait for each other. Otherwise none came
// free in time, or the pool only fills up to min_size, for which no other has to make room.
boost::asio::awaitable<PlacesTaken> take_places(Worker& worker, pool::Pool& pool,
                                                std::shared_ptr<pool::Upstream> upstream,
                                                std::shared_ptr<pool::Places> user, TimePoint until);

}  // namespace pgsluice::daemon
