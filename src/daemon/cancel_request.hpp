// A CancelRequest of a client, which gets no answer whatever becomes of it: finds the session that the key belongs to,
// and has its worker cancel it. Who guesses keys is no longer listened to.
#pragma once

#include <pgsluice/base/address.hpp>
#include <pgsluice/protocol/client_startup.hpp>

namespace pgsluice::daemon {

class Worker;

void take_cancel_request(Worker& worker, const Address& source, const protocol::ClientStartup::Cancel& request);

}  // namespace pgsluice::daemon
