// Key derivation off the worker: PBKDF2 costs milliseconds by design, and a worker's loop serves everybody.
#pragma once

#include "process.hpp"

#include <pgsluice/auth/scram_keys.hpp>

#include <boost/asio/awaitable.hpp>

namespace pgsluice::daemon {

// From the cache, else from a helper thread.
boost::asio::awaitable<auth::ScramKeys> derive(Process& process, auth::Derivation wanted);

}  // namespace pgsluice::daemon
