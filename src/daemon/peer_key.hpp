// Which of several pgsluices behind one address a cancel key belongs to. A client's CancelRequest is a new connection,
// which a load balancer may lead to another of them than the one that the client is connected to. The first byte of the
// secrets that are given out with peers.id tells:
//
//     bit 7      0; 1 in a request that one of them has sent on, so that it goes no further
//     bits 2-6   peers.id
//     bits 0-1   random, as the rest of the secret is
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <cstdint>

namespace pgsluice::daemon::peer_key {

constexpr unsigned char forwarded = 0x80;
constexpr unsigned char random_bits = 0x03;
constexpr int id_shift = 2;

// `secret` is not empty, `id` not above config::largest_peer.
inline void mark(Bytes& secret, std::uint32_t id) {
    const auto random = static_cast<unsigned char>(secret[0]) & random_bits;
    secret[0] = static_cast<char>((id << id_shift) | random);
}

inline bool is_forwarded(ByteView secret) {
    return !secret.empty() && (static_cast<unsigned char>(secret[0]) & forwarded) != 0;
}

// Of one that is not forwarded.
inline std::uint32_t id_of(ByteView secret) {
    return secret.empty() ? 0 : static_cast<unsigned char>(secret[0]) >> id_shift;
}

inline Bytes with_forwarded(ByteView secret, bool is) {
    Bytes marked(secret);
    const auto first = static_cast<unsigned char>(marked[0]);
    marked[0] = static_cast<char>(is ? first | forwarded : first & ~forwarded);
    return marked;
}

}  // namespace pgsluice::daemon::peer_key
