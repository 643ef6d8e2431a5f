#include <pgsluice/pool/server.hpp>

namespace pgsluice::pool {

void Server::note_parsed(const protocol::Owed& owed) {
    if (owed.statement != nullptr && !owed.unnamed && owed.fate != protocol::Fate::invent) {
        statements_.settle(*owed.statement);
    }
}

void Server::note_dropped(const protocol::Owed& owed) {
    if (owed.statement == nullptr || owed.fate == protocol::Fate::invent) return;
    // Whether the older unnamed statement is still there nobody can say: the next use sends the text again.
    if (owed.unnamed)
        unnamed_.reset();
    else if (owed.asked == protocol::Asked::parse)
        statements_.remove(*owed.statement);
    else if (owed.text == nullptr && statements_.use(*owed.statement) == nullptr)
        statements_.add(owed.statement, 0);  // a Close of ours; a client's takes nothing from the server
}

void Server::forget_statements() {
    statements_.forget_settled();
    reserved_ = {};
}

Server::Luggage Server::pack() {
    Luggage luggage;
    for (const auto& entry : statements_.by_use()) {
        const protocol::Statement& statement = *entry.statement;
        luggage.statements.push_back({statement.text, statement.parameter_types, statement.environment});
    }
    statements_.clear();
    unnamed_.reset();
    link_.reset();
    return luggage;
}

void Server::unpack(PeerPtr link, const Luggage& luggage, protocol::StatementCache& cache) {
    link_ = std::move(link);
    for (const auto& [text, types, environment] : luggage.statements) {
        statements_.add(cache.intern(text, types, environment), 0);
    }
}

}  // namespace pgsluice::pool
