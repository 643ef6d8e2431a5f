// A file that appears whole or not at all.
#pragma once

#include <string>
#include <string_view>

namespace pgsluice::daemon {

// Makes a file that was not there before, which nobody else reads, since it may hold passwords. It is written beside
// its place and gets its name when it is complete and on the disk. False: errno says why, and nothing is left behind.
bool write_new_file(const std::string& path, std::string_view text);

}  // namespace pgsluice::daemon
