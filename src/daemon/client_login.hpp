// One client from accept to the end of its authentication: startup packets, TLS, the authentication rule that matches,
// the route, the limits. What comes out is a session, or a FATAL and a line in the log.
#pragma once

#include "client_limits.hpp"
#include "worker_place.hpp"

#include <pgsluice/net/descriptor.hpp>

#include <boost/asio/awaitable.hpp>

namespace pgsluice::daemon {

class Worker;

boost::asio::awaitable<void> log_client_in(Worker& worker, net::Descriptor socket, std::size_t listener,
                                           ClientSlot slot, WorkerPlace worker_place);

}  // namespace pgsluice::daemon
