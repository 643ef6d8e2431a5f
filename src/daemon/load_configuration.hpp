// Reads the configuration as pgsluice will use it: what is wrong with its policies is found by compiling them.
#pragma once

#include <pgsluice/config/load.hpp>

#include <string>

namespace pgsluice::daemon {

config::Loaded load_configuration(const std::string& path);

}  // namespace pgsluice::daemon
