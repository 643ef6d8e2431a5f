// What every TCP connection is told, on both sides. A connection inherits the options of the listening socket that it
// came through, so they are applied once per listener and once per dialed connection.
#pragma once

#include <pgsluice/base/time.hpp>

namespace pgsluice::net {

struct SocketOptions {
    // A zero leaves the kernel's default in place.
    Milliseconds keepalive_idle{60'000};      // silence before the first probe
    Milliseconds keepalive_interval{10'000};  // between probes
    int keepalive_count = 6;                  // unanswered probes before the connection counts as broken
    Milliseconds tcp_user_timeout{30'000};    // how long sent bytes may stay unacknowledged
};

// Sets TCP_NODELAY, keepalive and TCP_USER_TIMEOUT; does nothing to a Unix socket. Best effort: an option that the
// kernel refuses is left as it was, since no option is worth a connection.
void apply(const SocketOptions& options, int fd);

}  // namespace pgsluice::net
