// Sends a cancel request to a server, over the same kind of connection as the one that it cancels, and waits for the
// server to close it: until then the cancel may still be on its way. Lets go of the token then.
#pragma once

#include "server_connection.hpp"

#include <pgsluice/session/host.hpp>

namespace pgsluice::daemon {

class Worker;

boost::asio::awaitable<void> forward_cancel(Worker& worker, std::shared_ptr<const ServerRoute> route,
                                            std::int32_t process_id, Bytes secret, ServerId server,
                                            session::CancelToken token);

}  // namespace pgsluice::daemon
