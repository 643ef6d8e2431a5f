// Keys, which take long to compute, off the worker, whose loop serves everybody.
#pragma once

#include "process.hpp"

#include <pgsluice/auth/scram_keys.hpp>
#include <pgsluice/base/time.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <optional>

namespace pgsluice::daemon {

// From the cache, else from a helper thread; nullopt where they have not come by `until`. What has not been begun by
// then, or by the end of the loop, never is.
boost::asio::awaitable<std::optional<auth::ScramKeys>> derive(Process& process, boost::asio::io_context& io,
                                                              auth::Derivation wanted, TimePoint until);

}  // namespace pgsluice::daemon
