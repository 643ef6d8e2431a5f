// What a client shows in a CancelRequest: random, so that nobody can guess it.
#pragma once

#include "peer_key.hpp"
#include "process.hpp"

#include <pgsluice/base/bytes.hpp>

#include <cstdint>

namespace pgsluice::daemon {

struct CancelKey {
    std::int32_t process_id;  // positive
    Bytes secret;
};

// `minor` of the protocol that the client speaks; `peer` is peers.id, or 0.
inline CancelKey new_cancel_key(std::uint16_t minor, std::uint32_t peer) {
    // 31 random bits here and 32 there: the process id is shown as positive, and never 0.
    CancelKey key{static_cast<std::int32_t>(random_number() >> 33), random_bytes(minor >= 2 ? 32 : 4)};
    if (key.process_id == 0) key.process_id = 1;
    if (peer != 0) peer_key::mark(key.secret, peer);
    return key;
}

}  // namespace pgsluice::daemon
