// The files of an import.
#pragma once

#include <optional>
#include <string>

namespace pgsluice::importer {

// Absolute: where `path`, written in the file `beside`, is found. PgBouncer looks in its working directory; whoever
// imports may stand elsewhere, so the folder of `beside` comes next. A path that is in neither is taken to be there.
std::string find_file(const std::string& path, const std::string& beside);
// The same, but in the folder of `beside` alone.
std::string file_beside(const std::string& path, const std::string& beside);

// The whole file; nullopt where it cannot be read, is no regular file, or is larger than 64 MiB.
std::optional<std::string> read_file(const std::string& path);

}  // namespace pgsluice::importer
