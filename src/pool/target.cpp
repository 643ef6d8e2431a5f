#include <pgsluice/pool/target.hpp>

namespace pgsluice::pool {

std::string Target::key() const {
    std::string key = route + '\0' + database + '\0' + user;
    for (const auto& [name, value] : startup) key.append(1, '\0').append(name).append(1, '\0').append(value);
    return key;
}

bool Target::is_same_pool(const Target& other) const {
    return route == other.route && database == other.database && user == other.user && startup == other.startup;
}

}  // namespace pgsluice::pool
