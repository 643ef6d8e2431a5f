// A CancelRequest of a client, which gets no answer whatever becomes of it: finds the session that the key belongs to,
// has its worker cancel it, or the peer that has given the key out, and waits until that is done. Whoever cancels takes
// the end of the connection for the end of the cancel, and what he sends next must not be met by it. Who guesses keys
// is no longer listened to.
#pragma once

#include <pgsluice/base/address.hpp>
#include <pgsluice/base/time.hpp>
#include <pgsluice/protocol/client_startup.hpp>

#include <boost/asio/awaitable.hpp>

namespace pgsluice::daemon {

class Worker;

boost::asio::awaitable<void> take_cancel_request(Worker& worker, Address source,
                                                 protocol::ClientStartup::Cancel request, TimePoint until);

}  // namespace pgsluice::daemon
