// The users of a file in PgBouncer's format, for who reads such a file apart from a configuration.
#pragma once

#include <pgsluice/config/config.hpp>

#include <optional>
#include <string>
#include <vector>

namespace pgsluice::config {

// nullopt where it cannot be read or a line of it is broken.
std::optional<std::vector<User>> read_users_file(const std::string& path);

}  // namespace pgsluice::config
