// The folder that systemd has made for this process alone (RuntimeDirectory=).
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>

namespace pgsluice::daemon {

// Empty: it has made none. Of several the first.
inline std::string runtime_folder() {
    const char* given = std::getenv("RUNTIME_DIRECTORY");
    const std::string_view all = given == nullptr ? std::string_view() : std::string_view(given);
    return std::string(all.substr(0, all.find(':')));
}

}  // namespace pgsluice::daemon
