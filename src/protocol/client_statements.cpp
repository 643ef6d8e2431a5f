#include <pgsluice/protocol/client_statements.hpp>

namespace pgsluice::protocol {

std::vector<ClientStatements::Mentioned> ClientStatements::known_of(const std::vector<std::string>& names) const {
    std::vector<Mentioned> known;
    for (const std::string& name : names) {
        const auto at = names_.find(ByteView(name));
        if (at != names_.end()) known.push_back({name, at->second.statement, at->second.batch, at->second.closed});
    }
    return known;
}

}  // namespace pgsluice::protocol
