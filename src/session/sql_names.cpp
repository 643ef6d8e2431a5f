// SQL and the protocol name prepared statements in one namespace. On a server the protocol's go by names of ours, so
// that a text which speaks of one by the client's name finds it there only while it is lent that name.
#include <pgsluice/session/prepared_statements.hpp>
#include <pgsluice/session/session.hpp>
#include <pgsluice/sql/statement_names.hpp>

namespace pgsluice::session {

using protocol::Asked;
using protocol::Fate;
using wire::FrontendTag;

std::vector<PreparedStatements::Mentioned> PreparedStatements::spoken_of_by(ByteView text) const {
    if (names_ == nullptr || !sql::names_statement(text)) return {};
    auto mentioned = names_->mentioned_in(text);
    if (sql::is_prepare(text)) {
        // All that matters is that the name is taken; what it stands for may have lost its tables.
        for (Mentioned& each : mentioned) each.statement = nullptr;
    }
    return mentioned;
}

bool PreparedStatements::lend_names(const std::vector<Mentioned>& statements, pool::Server& server,
                                    wire::Outbox& to_server) {
    const std::uint32_t batch = server.exchange().batch();
    for (const auto& each : statements) {
        if (each.batch != 0 && each.batch != batch) return false;
    }
    for (const auto& each : statements) {
        if (each.closed) continue;
        // Lent before, by a portal of the same transaction.
        wire::write_target(to_server.join(), FrontendTag::close, 'S', each.name);
        server.exchange().owe({Asked::close, Fate::swallow});
        const protocol::Statement* statement = each.statement.get();
        wire::write_parse(to_server.join(), each.name, statement == nullptr ? ByteView() : ByteView(statement->text),
                          statement == nullptr ? wire::no_parameter_types : ByteView(statement->parameter_types));
        server.exchange().owe({Asked::parse, Fate::swallow});
        server.note_lent_name();
    }
    return true;
}

void PreparedStatements::take_names_back(const std::vector<Mentioned>& statements, pool::Server& server,
                                         wire::Outbox& to_server) {
    for (const auto& each : statements) {
        wire::write_target(to_server.join(), FrontendTag::close, 'S', each.name);
        server.exchange().owe({Asked::close, Fate::swallow});
    }
    wire::write_empty(to_server.join(), FrontendTag::sync);
    server.exchange().owe({Asked::sync, Fate::swallow});
}

// The client's name stands for nothing any more: nor must it where it was lent in this transaction.
void PreparedStatements::end_loan(ByteView name, pool::Server& server, wire::Outbox& to_server) {
    if (!server.has_lent_names()) return;
    wire::write_target(to_server.join(), FrontendTag::close, 'S', name);
    server.exchange().owe({Asked::close, Fate::swallow});
}

// The server says so, with its own error, if it does.
void PreparedStatements::ask_whether_sql_has_it(const wire::Parse& parse, const Lease& lease) {
    wire::write_parse(lease.to_server.join(), parse.statement, parse.text, parse.parameter_types);
    lease.server.exchange().owe({Asked::parse, Fate::swallow});
    wire::write_target(lease.to_server.join(), FrontendTag::close, 'S', parse.statement);
    lease.server.exchange().owe({Asked::close, Fate::swallow});
}

// What EXECUTE runs may change the session, which its own text does not tell.
void Session::note_effects_of(const std::vector<PreparedStatements::Mentioned>& statements) {
    if (!preserves_state()) return;
    for (const auto& each : statements) {
        if (each.statement == nullptr) continue;
        const auto nature = static_cast<sql::SessionEffect>(each.statement->nature);
        note_effect(effect_of(each.statement->text, nature), each.statement->text);
    }
}

// For a statement with that text, whose columns PostgreSQL looks up at its Parse, and for its portals. When the server
// is given back the names go. False: hold.
bool Session::lend_names_to(ByteView text, wire::Outbox& to_server) {
    const auto spoken_of = statements_.spoken_of_by(text);
    if (spoken_of.empty()) return true;
    if (server_->exchange().status() == wire::TransactionStatus::failed) {
        // It may have ended since, which an answer on its way tells.
        return !hold_until_answered(to_server);
    }
    if (!PreparedStatements::lend_names(spoken_of, *server_, to_server)) return false;
    note_effects_of(spoken_of);
    return true;
}

}  // namespace pgsluice::session
