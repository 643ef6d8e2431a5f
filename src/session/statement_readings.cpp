// How a statement reads where its client's next message goes, and whether that is what the client has been told of it.
#include <pgsluice/session/prepared_statements.hpp>
#include <pgsluice/sql/named_rows.hpp>

namespace pgsluice::session {

using protocol::Asked;
using protocol::Description;
using protocol::DescriptionRef;
using protocol::Fate;
using protocol::StatementRef;

namespace {

// With the types of parameters that the client was told: PostgreSQL itself parses a statement again with those whose
// tables have changed.
StatementRef read_anew(const protocol::Statement& then, const DescriptionRef& told, protocol::Environment here,
                       protocol::StatementCache& texts) {
    const bool has_types = told != nullptr && !told->parameter_types.empty();
    // What another Parse has read from the clock is not this one's, wherever it goes.
    here.parse = then.environment.parse;
    return texts.intern(then.text, has_types ? told->parameter_types : then.parameter_types, here);
}

// Whether what a server has said can be held against what the client was told.
bool is_enough(const DescriptionRef& said, const Description& told) {
    return said != nullptr && (told.parameter_types.empty() || !said->parameter_types.empty());
}

const Description* said_of(const protocol::Statement& statement, const Description& told, pool::Server& server) {
    const auto* there = server.statements().use(statement);
    return there != nullptr && !there->closed && is_enough(there->said, told) ? there->said.get() : nullptr;
}

wire::SqlError changed_result() {
    wire::SqlError refused = wire::error("0A000", "cached plan must not change result type");
    refused.routine = "RevalidateCachedQuery";  // by which drivers know to prepare anew
    return refused;
}

}  // namespace

// The answer comes before anything is bound.
PreparedStatements::Outcome PreparedStatements::ask(const StatementRef& then, const StatementRef& now,
                                                    const Lease& lease) {
    protocol::Exchange& exchange = lease.server.exchange();
    const auto* present = lease.server.statements().use(*now);
    if (present != nullptr && is_unsettled(present->batch, lease.server)) return Outcome::hold;
    if (present == nullptr || present->closed) send_parse(now, nullptr, Fate::swallow, lease);
    wire::write_target(lease.to_server.join(), wire::FrontendTag::describe, 'S', now->server_name);
    exchange.owe({Asked::describe_statement, Fate::swallow, now});
    describing().question.ask(then, now);
    return Outcome::hold_until_answered;
}

// The client's statement itself where it `stands` on the server, else its text as it reads today. It goes on only with
// the result that the client has been told, as PostgreSQL has it, and the server is asked where it has not said: its
// tables may have changed without our knowing, since whoever changes them may not come this way.
PreparedStatements::Found PreparedStatements::reading_of(const StatementRef& then, const DescriptionRef& told,
                                                         bool stands, const Lease& lease) {
    auto answer = describing_ == nullptr ? std::nullopt : describing_->question.take_answer(then);
    protocol::Environment here = lease.environment;
    here.parse = then->environment.parse;
    StatementRef now = answer ? answer->now : stands ? then : read_anew(*then, told, here, texts_);
    const bool is_compared = told != nullptr && told->result > Description::any_result;
    if (!is_compared || lease.server.exchange().ignores_sync()) return now;
    const Description* said = answer ? answer->said.get() : said_of(*now, *told, lease.server);
    const bool is_explained = now->environment != then->environment;
    if (said != nullptr && !is_explained && !told->agrees_with(*said)) {
        // Unless it has been seen by now, the schema has changed where nobody saw it.
        if (here == then->environment) {
            lease.schema_changes.note();
            here.schema_changes = lease.schema_changes.count();
        }
        now = read_anew(*then, told, here, texts_);
        said = said_of(*now, *told, lease.server);
    }
    if (said == nullptr) return Admission(ask(then, now, lease));
    if (!told->agrees_with(*said)) return Admission(changed_result());
    return now;
}

const DescriptionRef& PreparedStatements::told_of(ByteView name) const {
    static const DescriptionRef nothing;
    if (name.empty()) {
        return describing_ != nullptr && describing_->unnamed == unnamed_ ? describing_->unnamed_told : nothing;
    }
    const auto* known = names_ == nullptr ? nullptr : names_->find(name);
    return known == nullptr ? nothing : known->told;
}

bool PreparedStatements::is_as_told(const protocol::ServerStatements::Entry& there, const DescriptionRef& told) {
    if (told == nullptr || told == there.said || told->result == Description::any_result) return true;
    return is_enough(there.said, *told) && told->agrees_with(*there.said);
}

bool PreparedStatements::is_on_server(ByteView name, pool::Server& server) const {
    const protocol::Statement* meant = meant_by(name);
    if (meant == nullptr) return false;
    if (name.empty()) return server.unnamed().get() == meant;
    const auto* there = server.statements().use(*meant);
    // What it has not been asked it says before anything is parsed anew, and the message comes again.
    return there != nullptr && !there->closed && (there->said == nullptr || is_as_told(*there, told_of(name)));
}

protocol::Owed PreparedStatements::describe_portal(ByteView portal, const protocol::Exchange& exchange) {
    if (!portal.empty() || !has_untold(exchange)) return {Asked::describe_portal};
    auto text = std::make_unique<protocol::OwedText>();
    text->name = std::move(describing_->untold_name);
    text->known = std::move(describing_->untold_known);
    return {.asked = Asked::describe_portal,
            .statement = std::exchange(describing_->untold, nullptr),
            .text = std::move(text)};
}

void PreparedStatements::learn(const protocol::Owed& described, wire::BackendTag tag, std::optional<ByteView> body,
                               pool::Server& server) {
    const protocol::Statement& statement = *described.statement;
    if (tag == wire::BackendTag::parameter_description) {
        // Each is given its type or spoken of ("$1,"), which bounds what a server can have us keep.
        const std::size_t most = statement.text.size() + statement.parameter_types.size() + 16;
        const bool is_kept = body && body->size() <= most && wire::is_parameter_description(*body);
        describing().types = is_kept ? *body : ByteView();
        return;
    }
    const bool is_compared = body && !sql::finds_rows_by_name(statement.text);
    // Those that an error came behind are of no use: a portal's come with none of its own.
    std::string types = std::exchange(describing().types, {});
    if (described.asked == Asked::describe_portal) types.clear();
    auto made = std::make_shared<const Description>(
        Description{std::move(types), is_compared ? texts_.result_of(*body) : Description::any_result});
    const bool is_question = described.fate == Fate::swallow;
    if (!is_question && described.text->name.empty()) {
        describing_->unnamed = described.text->known;
        describing_->unnamed_told = std::move(made);
        return;
    }
    const DescriptionRef said = server.statements().describe(statement, std::move(made));
    if (is_question) return describing_->question.note_answer(statement, said);
    if (names_ != nullptr) names_->tell(described.text->name, described.text->known, said);
}

}  // namespace pgsluice::session
