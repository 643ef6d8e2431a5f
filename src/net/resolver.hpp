// Host names to addresses, off the loop.
#pragma once

#include <pgsluice/base/address.hpp>
#include <pgsluice/base/time.hpp>
#include <pgsluice/net/error.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <string>
#include <vector>

namespace pgsluice::net {

// At least one address, in the resolver's order. An IP address resolves to itself at once. A name is looked up on
// Asio's resolver thread, one at a time per io_context; one that does not answer by `until` is an error, and its answer
// ignored.
boost::asio::awaitable<Outcome<std::vector<Address>>> resolve(boost::asio::io_context& io, std::string host,
                                                              TimePoint until);

}  // namespace pgsluice::net
