// SQL and the protocol name prepared statements in one namespace. On a server the protocol's go by names of ours, so
// that a text which speaks of one by the client's name finds it there only while it is lent that name.
#include <pgsluice/protocol/asking.hpp>
#include <pgsluice/session/prepared_statements.hpp>
#include <pgsluice/session/session.hpp>
#include <pgsluice/sql/statement_names.hpp>
#include <pgsluice/sql/transaction_control.hpp>

#include <algorithm>

namespace pgsluice::session {

using protocol::Asking;
using protocol::Fate;

std::vector<PreparedStatements::Mentioned> PreparedStatements::spoken_of_by(ByteView text, sql::Reading how) const {
    if (names_ == nullptr || !sql::names_statement(text)) return {};
    auto mentioned = names_->known_of(sql::named_statements(text, how));
    if (sql::is_prepare(text)) {
        // All that matters is that the name is taken; what it stands for may have lost its tables.
        for (Mentioned& each : mentioned) each.statement = nullptr;
    }
    return mentioned;
}

void PreparedStatements::lend(const Mentioned& mentioned, Fate fate, pool::Server& server, wire::Outbox& to_server) {
    if (mentioned.closed) return;
    const protocol::Statement* statement = mentioned.statement.get();
    // Anew: it may have been lent before, by a portal of the same transaction.
    Asking(to_server.join(), server.exchange(), fate)
        .parse_anew(mentioned.name, statement == nullptr ? ByteView() : ByteView(statement->text),
                    statement == nullptr ? wire::no_parameter_types : ByteView(statement->parameter_types));
    server.note_lent_name();
}

bool PreparedStatements::can_lend(const std::vector<Mentioned>& statements, pool::Server& server) {
    const std::uint32_t batch = server.exchange().batch();
    return std::all_of(statements.begin(), statements.end(),
                       [&](const Mentioned& each) { return each.batch == 0 || each.batch == batch; });
}

void PreparedStatements::lend_names(const std::vector<Mentioned>& statements, pool::Server& server,
                                    wire::Outbox& to_server) {
    for (const auto& each : statements) lend(each, Fate::swallow, server, to_server);
}

// Nothing is parsed in a transaction that has failed. So it is left as the text itself will leave it, and fails again
// behind that: the text finds the names, and a transaction to leave. What was left was rolled back in any case. Where
// the way out is none (the savepoint does not exist), nothing of this does anything, and the text's own answer says so.
void PreparedStatements::lend_names_behind(ByteView way_out, const std::vector<Mentioned>& statements,
                                           pool::Server& server, wire::Outbox& to_server) {
    Asking asking(to_server.join(), server.exchange(), Fate::inspect);
    asking.query(way_out);
    for (const auto& each : statements) lend(each, Fate::inspect, server, to_server);
    asking.sync();
    asking.query("begin");
    asking.query(protocol::refused_text);
}

void PreparedStatements::take_names_back(const std::vector<Mentioned>& statements, pool::Server& server,
                                         wire::Outbox& to_server) {
    Asking asking(to_server.join(), server.exchange(), Fate::swallow);
    for (const auto& each : statements) asking.close_statement(each.name);
    asking.sync();
}

// The client's name stands for nothing any more: nor must it where it was lent in this transaction.
void PreparedStatements::end_loan(ByteView name, pool::Server& server, wire::Outbox& to_server) {
    if (!server.has_lent_names()) return;
    Asking(to_server.join(), server.exchange(), Fate::swallow).close_statement(name);
}

// The server says so, with its own error, if it does.
void PreparedStatements::ask_whether_sql_has_it(const wire::Parse& parse, const Lease& lease) {
    Asking asking(lease.to_server.join(), lease.server.exchange(), Fate::swallow);
    asking.parse(parse.statement, parse.text, parse.parameter_types);
    asking.close_statement(parse.statement);
}

// What EXECUTE runs may change the session, which its own text does not tell.
void Session::note_effects_of(const std::vector<PreparedStatements::Mentioned>& statements, ByteView text) {
    if (!preserves_state()) return;
    for (const auto& each : statements) {
        if (each.statement == nullptr) continue;
        const ByteView runs = each.statement->text;
        sql::SessionEffect effect = effect_of(runs, static_cast<sql::SessionEffect>(each.statement->nature));
        if (effect == sql::SessionEffect::none) continue;
        // Its values are put together where nobody looks.
        if (effect == sql::SessionEffect::local) effect = sql::SessionEffect::changes;
        sql::SettingNames names = setting_names_in(runs);
        names.hidden = std::max(names.hidden, names.in_parameters);
        sql::note_mentioned_names(text, names);
        note_effect(effect, runs, std::move(names));
    }
}

// What runs with it, before or behind what it names, may begin a transaction or change the search_path.
bool Session::runs_alone(ByteView text) {
    const sql::FactsRef* facts = facts_of(text);
    if (facts == nullptr || *facts == nullptr) return false;
    return (*facts)->statements == 1 && (*facts)->functions.empty();
}

// For a Query, of which nothing before it is unanswered. False: it finds none of them, or is refused.
bool Session::lend_names_to_query(ByteView text, const std::vector<PreparedStatements::Mentioned>& spoken_of,
                                  wire::Outbox& to_server, OwnError& refused) {
    if (server_->exchange().ignores_sync()) return false;
    const bool has_failed = server_->exchange().status() == wire::TransactionStatus::failed;
    const ByteView way_out = has_failed ? sql::first_way_out(text) : ByteView();
    if (has_failed && way_out.empty()) return false;
    // A text that cannot be parsed does nothing: the transaction is still there behind it, and its savepoints.
    const sql::FactsRef* facts = has_failed ? facts_of(text) : nullptr;
    if (has_failed && (facts == nullptr || *facts == nullptr)) return false;
    // The way out of the transaction takes its settings back.
    const Judged how{
        .text = {}, .is_parsed_apart = has_failed, .runs_apart = rules_.depend_on_session() && !runs_alone(text)};
    if (const wire::SqlError* error = judge_lent(spoken_of, how, refused)) {
        refused = *error;
        return false;
    }
    note_effects_of(spoken_of, text);
    if (has_failed)
        PreparedStatements::lend_names_behind(way_out, spoken_of, *server_, to_server);
    else if (PreparedStatements::can_lend(spoken_of, *server_))
        PreparedStatements::lend_names(spoken_of, *server_, to_server);
    else
        return false;
    return true;
}

// For a statement with that text, whose columns PostgreSQL looks up at its Parse, and for its portals. When the server
// is given back the names go. Returns how much of the message in front is taken where it does not go on: it is held, or
// refused.
std::optional<std::size_t> Session::lend_names_to(ByteView text, const wire::Frame& frame, ByteView rest,
                                                  wire::Outbox& to_server) {
    looked_at_ += text.size();
    const auto spoken_of = statements_.spoken_of_by(text, dialect_.reading());
    if (spoken_of.empty()) return std::nullopt;
    for (const auto& each : spoken_of) looked_at_ += each.statement == nullptr ? 0 : each.statement->text.size();
    if (server_->exchange().status() == wire::TransactionStatus::failed) {
        // It may have ended since, which an answer on its way tells.
        return hold_until_answered(to_server) ? std::optional<std::size_t>(0) : std::nullopt;
    }
    if (!PreparedStatements::can_lend(spoken_of, *server_)) return hold_until_settled();
    // A portal may run whenever its transaction still goes on.
    OwnError own;
    if (const wire::SqlError* error = judge_lent(spoken_of, {.text = {}, .runs_apart = true}, own)) {
        refuse_in_place(*error, false, to_server);
        return drop(frame, rest);
    }
    PreparedStatements::lend_names(spoken_of, *server_, to_server);
    note_effects_of(spoken_of, text);
    return std::nullopt;
}

}  // namespace pgsluice::session
