// The startup parameter `options`: command-line switches for the server process, split and read as PostgreSQL does
// (pg_split_opts in src/backend/utils/init/postinit.c, process_postgres_switches in src/backend/tcop/postgres.c).
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/wire/sql_error.hpp>

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pgsluice::wire {

using Setting = std::pair<std::string, std::string>;  // name, value

// The words of `options`: separated by white space, which a backslash escapes as it does any other byte.
std::vector<std::string> split_options(ByteView options);

// The settings that the switches ask for, in order, or the FATAL that PostgreSQL answers with.
std::variant<std::vector<Setting>, SqlError> read_options(ByteView options);

}  // namespace pgsluice::wire
