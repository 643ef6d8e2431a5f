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

// At least one address, in the resolver's order. An IP address resolves to itself at once. A name is looked up on a
// thread of its own, and by `until` or not at all; nothing waits for one that hangs, neither another name nor the end
// of the loop.
boost::asio::awaitable<Outcome<std::vector<Address>>> resolve(boost::asio::io_context& io, std::string host,
                                                              TimePoint until);

}  // namespace pgsluice::net
