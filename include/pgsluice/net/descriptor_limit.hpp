// How many files and sockets this process may hold.
#pragma once

#include <cstdint>

namespace pgsluice::net {

struct DescriptorLimit {
    std::uint64_t soft = 0;  // after the call
    std::uint64_t hard = 0;
    bool enough = false;  // soft >= needed
};

// Raises the soft RLIMIT_NOFILE to the hard one, where the hard one is finite (else to what is needed), and tells
// whether `needed` descriptors fit.
DescriptorLimit raise_descriptor_limit(std::uint64_t needed);

}  // namespace pgsluice::net
