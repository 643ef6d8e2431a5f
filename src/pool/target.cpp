#include <pgsluice/pool/target.hpp>

namespace pgsluice::pool {

std::string Target::key() const {
    std::string key = route + '\0' + database + '\0' + user;
    for (const auto& [name, value] : startup) key.append(1, '\0').append(name).append(1, '\0').append(value);
    return key;
}

}  // namespace pgsluice::pool
