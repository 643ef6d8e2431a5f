// All that tables are made of.
#pragma once

#include <pgsluice/admin/view.hpp>
#include <pgsluice/config/config.hpp>

#include <cstdint>
#include <set>
#include <string>

namespace pgsluice::admin {

struct Scene {
    const View& view;
    const config::Config& config;
    std::string version;  // "0.1.0"
    bool is_draining = false;
    bool all_paused = false;
    std::set<std::string> paused{};    // databases as servers know them
    std::set<std::string> disabled{};  // as clients name them
    bool suspended = false;
    std::uint64_t resident_bytes = 0;  // memory of the process; 0 where the kernel does not tell
};

// What servers call a database that an administrator names as clients do, or else as servers do; none:
// nobody knows it.
std::set<std::string> server_names(const Scene& scene, const std::string& database);

// Whether a route takes clients that name this database.
bool is_routed(const config::Config& config, const std::string& database);
// Whether one does and hands the name to servers as it is: then it may be that of a database that nobody has used yet.
bool is_handed_on(const config::Config& config, const std::string& database);

}  // namespace pgsluice::admin
