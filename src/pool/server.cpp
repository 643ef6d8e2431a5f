#include <pgsluice/pool/server.hpp>

namespace pgsluice::pool {

void Server::forget_statements() {
    statements_.clear();
    unnamed_.reset();
    reserved_ = {};
}

Server::Luggage Server::pack() {
    Luggage luggage;
    for (const auto& entry : statements_.by_use()) {
        luggage.statements.emplace_back(entry.statement->text, entry.statement->parameter_types);
    }
    statements_.clear();
    unnamed_.reset();
    link_.reset();
    return luggage;
}

void Server::unpack(PeerPtr link, const Luggage& luggage, protocol::StatementCache& cache) {
    link_ = std::move(link);
    for (const auto& [text, types] : luggage.statements) statements_.add(cache.intern(text, types), 0);
}

}  // namespace pgsluice::pool
