// Connects to servers. A flat coroutine: resolve off the loop, try each address in order, return the first that
// answers.
#pragma once

#include <pgsluice/base/time.hpp>
#include <pgsluice/net/error.hpp>
#include <pgsluice/net/link.hpp>
#include <pgsluice/net/reactor.hpp>
#include <pgsluice/net/socket_options.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <string>

namespace pgsluice::net {

struct DialTarget {
    std::string host;  // name, IP address, or (beginning with '/') the directory of a Unix socket .s.PGSQL.PORT
    std::uint16_t port = 5432;
};

// A link to a server in its setup phase, or an error such as
// "could not connect to 10.0.0.1:5432: Connection refused", where several addresses failed, one such text per address.
// All addresses together must answer by `until`. The reactor must outlive the coroutine.
boost::asio::awaitable<Outcome<LinkPtr>> dial(Reactor& reactor, DialTarget target, SocketOptions options,
                                              TimePoint until);

}  // namespace pgsluice::net
