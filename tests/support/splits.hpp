// The same bytes in other portions: whole, one by one, and split once at every place. A reader of a stream must not be
// able to tell.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <cstddef>
#include <vector>

namespace pgsluice::test {

using Portions = std::vector<ByteView>;

inline Portions byte_by_byte(ByteView stream) {
    Portions portions;
    for (std::size_t i = 0; i < stream.size(); ++i) portions.push_back(stream.substr(i, 1));
    return portions;
}

// Whole, byte by byte, and every split in two. Views into `stream`.
inline std::vector<Portions> every_split(ByteView stream) {
    std::vector<Portions> all{{stream}, byte_by_byte(stream)};
    for (std::size_t at = 1; at < stream.size(); ++at) all.push_back({stream.substr(0, at), stream.substr(at)});
    return all;
}

// Every proper prefix: what a decoder of one message must refuse or wait for.
inline std::vector<ByteView> every_prefix(ByteView message) {
    std::vector<ByteView> all;
    for (std::size_t size = 0; size < message.size(); ++size) all.push_back(message.substr(0, size));
    return all;
}

}  // namespace pgsluice::test
