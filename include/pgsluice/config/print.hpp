// The effective configuration as YAML, defaults filled in: what `pgsluice --check` prints.
#pragma once

#include <pgsluice/config/config.hpp>

#include <string>

namespace pgsluice::config {

// Passwords read "***" and the users of a users_file are left to that file; load() takes the text otherwise as it
// stands. Values other than passwords are printed even where they came from ${file:} or the environment.
std::string print(const Config& config);

}  // namespace pgsluice::config
