// A configuration that is read while another one is in force.
#pragma once

#include <pgsluice/config/config.hpp>

#include <string>
#include <vector>

namespace pgsluice::config {

// Gives `read` the values of `in_force` for all that changes at a restart only, so that it says what the process does.
// Returns what was different and waits for the restart, a sentence each, with its key.
std::vector<std::string> keep_until_restart(const Config& in_force, Config& read);

}  // namespace pgsluice::config
