// The users of a file in PgBouncer's format, for who reads such a file apart from a configuration.
#pragma once

#include <pgsluice/config/config.hpp>
#include <pgsluice/config/load.hpp>

#include <optional>
#include <string>
#include <vector>

namespace pgsluice::config {

struct UsersOfFile {
    std::vector<User> users;         // those above the first line that is broken
    std::optional<Problem> problem;  // the first; that of the whole file where it cannot be read, whose line is then 0
};
UsersOfFile read_users_file(const std::string& path);

}  // namespace pgsluice::config
