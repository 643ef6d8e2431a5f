// The header of the PROXY protocol, versions 1 and 2, with which a load balancer begins a connection to tell whom it is
// for (HAProxy's doc/proxy-protocol.txt, sections 2.1 and 2.2). What else version 2 may carry (TLVs) is skipped.
#pragma once

#include <pgsluice/base/address.hpp>
#include <pgsluice/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace pgsluice::wire {

struct ProxyHeader {
    enum class State : std::uint8_t {
        need_more,  // all of the buffer belongs to the header, and it goes on
        complete,
        malformed,
    };
    State state = State::need_more;
    std::size_t size = 0;  // complete: how much of the buffer it is
    // complete: the balancer speaks for a client, and not for itself (LOCAL, as health checks do).
    bool is_relayed = false;
    // Of that client; nullopt where the balancer cannot say (UNKNOWN, and sockets that are no IP).
    std::optional<Address> source{};
};

constexpr std::size_t longest_proxy_header = 4096;  // more TLVs than that are malformed

ProxyHeader read_proxy_header(ByteView buffer);

}  // namespace pgsluice::wire
