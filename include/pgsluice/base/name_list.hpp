// How a configuration's lists of names and networks match: an empty list matches everything, and so does "*" in a list;
// names compare byte by byte, as PostgreSQL compares them.
#pragma once

#include <pgsluice/base/address.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice {

inline bool matches(const std::vector<std::string>& names, std::string_view name) {
    return names.empty() ||
           std::any_of(names.begin(), names.end(), [&](const std::string& one) { return one == "*" || one == name; });
}

inline bool matches(const std::vector<Network>& networks, const Address& address) {
    return networks.empty() ||
           std::any_of(networks.begin(), networks.end(), [&](const Network& one) { return one.contains(address); });
}

}  // namespace pgsluice
