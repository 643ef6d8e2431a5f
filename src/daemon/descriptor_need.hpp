// How many files and sockets a configuration can come to need, as far as it tells: a route for any database or user, or
// in session mode, makes a pool for each that its clients name.
#pragma once

#include <pgsluice/config/config.hpp>

#include <cstdint>
#include <optional>

namespace pgsluice::daemon {

struct DescriptorNeed {
    std::uint64_t at_least = 0;              // such routes counted as one pool each
    std::optional<std::uint64_t> at_most{};  // nullopt: nothing bounds them
};

DescriptorNeed descriptor_need(const config::Config& config);

}  // namespace pgsluice::daemon
