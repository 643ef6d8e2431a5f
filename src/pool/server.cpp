#include <pgsluice/pool/server.hpp>
#include <pgsluice/pool/upstream.hpp>

namespace pgsluice::pool {

namespace {

// A Parse, or a Close of ours, that changes what stands on the server. A client's Close takes nothing from it.
bool is_of_the_server(const protocol::Owed& owed) {
    const bool is_clients_close = owed.asked == protocol::Asked::close && owed.text != nullptr;
    const bool stays = owed.asked != protocol::Asked::parse && owed.asked != protocol::Asked::close;
    return !stays && owed.statement != nullptr && !owed.unnamed && owed.fate != protocol::Fate::invent &&
           !is_clients_close;
}

}  // namespace

Server::Server(Facts facts, PeerPtr link) : facts_(std::move(facts)), link_(std::move(link)), has_(facts_.baseline) {
    for (const auto& [name, value] : facts_.reported) role_.note(name, value);
}

void Server::leave_places() {
    if (facts_.upstream != nullptr) facts_.upstream->closed();
    if (facts_.user_places != nullptr) facts_.user_places->closed();
}

void Server::note_done(const protocol::Owed& owed) {
    if (is_of_the_server(owed)) statements_.settle(*owed.statement);
}

void Server::note_dropped(const protocol::Owed& owed) {
    // Whether the older unnamed statement is still there nobody can say: the next use sends the text again.
    if (owed.unnamed && owed.statement != nullptr) unnamed_.reset();
    if (!is_of_the_server(owed)) return;
    if (owed.asked == protocol::Asked::parse)
        statements_.undo_add(*owed.statement);
    else
        statements_.undo_close(owed.statement);
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
        statements_.restore(cache.intern(text, types, environment));
    }
}

}  // namespace pgsluice::pool
