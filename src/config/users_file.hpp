// PgBouncer's userlist.txt: one user a line, "name" "password", a quote inside written twice, the rest of the line
// ignored.
#pragma once

#include "node.hpp"
#include "reader.hpp"

#include <pgsluice/config/config.hpp>

#include <string_view>
#include <vector>

namespace pgsluice::config {

// The users of `text`; what is broken becomes a problem with its line in `file`, and later lines are still read.
std::vector<User> parse_users_file(std::string_view text, const std::string& file, const std::string& key_path,
                                   Reader& reader);

// Reads source.users_file, which `key` names, behind the users that stand in the configuration. The first of a name
// wins, but one without a password takes the file's: its limits can then be set without repeating the secret.
void add_users_from_file(UserSource& source, const Node& key, Reader& reader);

}  // namespace pgsluice::config
