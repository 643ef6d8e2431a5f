// The names of hosts that are being looked up.
#pragma once

#include <pgsluice/base/address.hpp>
#include <pgsluice/net/shared_lookups.hpp>

#include <string>
#include <vector>

namespace pgsluice::net {

struct HostAnswer {
    std::vector<Address> addresses;
    std::string failure{};  // why there are none
};

// getaddrinfo. Blocks.
HostAnswer ask_system(const std::string& host);

using Lookups = SharedLookups<HostAnswer>;
Lookups& lookups_of_process();

}  // namespace pgsluice::net
