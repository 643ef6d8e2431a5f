#include <pgsluice/pool/target.hpp>

#include <algorithm>

namespace pgsluice::pool {

std::string Target::permits_key() const {
    return route + '\0' + database + '\0' + user;
}

std::string Target::key() const {
    std::string key = permits_key();
    key.append(1, '\0').append(std::to_string(static_cast<int>(settings.mode)));
    for (const auto& [name, value] : startup) key.append(1, '\0').append(name).append(1, '\0').append(value);
    return key;
}

bool Target::is_replication() const {
    return std::any_of(startup.begin(), startup.end(),
                       [](const auto& setting) { return setting.first == "replication"; });
}

bool Target::is_physical_replication() const {
    return std::any_of(startup.begin(), startup.end(), [](const auto& setting) {
        return setting.first == "replication" && setting.second != "database";
    });
}

bool Target::is_same_pool(const Target& other) const {
    return route == other.route && database == other.database && user == other.user &&
           settings.mode == other.settings.mode && startup == other.startup;
}

}  // namespace pgsluice::pool
