#include "schemas.hpp"

#include <pgsluice/config/keep.hpp>

namespace pgsluice::config {

std::vector<std::string> keep_until_restart(const Config& in_force, Config& read) {
    std::vector<std::string> waiting;
    keep_map(config_schema(), in_force, read, {}, waiting);
    for (std::string& key : waiting) key += " has changed: it changes at a restart only";
    return waiting;
}

}  // namespace pgsluice::config
