// pg_hba.conf and pg_ident.conf, as far as PgBouncer reads them. A line that PgBouncer would skip is left out.
#pragma once

#include "findings.hpp"

#include <pgsluice/config/config.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace pgsluice::importer {

// System user or common name -> user, by the map's name, in the order of the file.
using IdentMaps = std::map<std::string, std::vector<std::pair<std::string, std::string>>>;

IdentMaps read_ident(const std::string& path, Findings& findings);

struct Hba {
    std::vector<config::AuthRule> rules;
    bool names_replication = false;  // some line is about replication connections
};

// For "sameuser", and for "all" in a map: our rules need the names.
struct HbaUsers {
    std::vector<std::string> names;  // those of auth_file
    bool are_all = true;             // false: auth_query finds others
    // Names of [databases]: whom auth_query finds, "sameuser" means where he is called like one of them.
    std::vector<std::string> databases;
    bool has_any_database = false;  // there is "*", too
};

Hba read_hba(const std::string& path, const IdentMaps& maps, const HbaUsers& users, Findings& findings);

}  // namespace pgsluice::importer
