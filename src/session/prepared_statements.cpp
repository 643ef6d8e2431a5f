#include <pgsluice/protocol/asking.hpp>
#include <pgsluice/session/prepared_statements.hpp>
#include <pgsluice/sql/clock_words.hpp>
#include <pgsluice/sql/deallocated_name.hpp>

namespace pgsluice::session {

using metrics::Lookup;
using protocol::Asked;
using protocol::Asking;
using protocol::Fate;
using protocol::OwedText;
using protocol::StatementRef;
using wire::FrontendTag;
using wire::TransactionStatus;

namespace {

using Lease = PreparedStatements::Lease;

std::unique_ptr<OwedText> named(ByteView name) {
    auto text = std::make_unique<OwedText>();
    text->name = name;
    return text;
}

constexpr ByteView deallocate_gone = "DEALLOCATE pgsluice_gone";
static_assert(deallocate_gone.ends_with(protocol::gone_name));

bool is_reserved(ByteView name) {
    return name.starts_with(protocol::reserved_prefix);
}

// PostgreSQL lets a session prepare until its own process has no memory left; this process belongs to everybody.
constexpr std::size_t most_statement_bytes = std::size_t{32} * 1024 * 1024;

wire::SqlError too_many() {
    return wire::error("54000", "too many prepared statements", "What this client has prepared takes 32 MiB.",
                       "Deallocate those that are no longer needed.");
}

wire::SqlError unknown(ByteView name) {
    return wire::error("26000", "prepared statement \"" + std::string(name) + "\" does not exist");
}

// A Parse or Close that changes what a name of the client stands for.
bool is_of_a_name(const protocol::Owed& owed) {
    return owed.text != nullptr && owed.statement != nullptr;
}

// A name that is taken. The server says so, unless it finds something else wrong first: the text, or the transaction.
// So it is given one that is taken there too; the empty text can be prepared even in a transaction that has failed.
PreparedStatements::Admission parse_again(const wire::Parse& parse, const Lease& lease) {
    protocol::Exchange& exchange = lease.server.exchange();
    Bytes& out = lease.to_server.join();
    Asking(out, exchange, Fate::swallow).parse_anew(protocol::taken_name, "");
    wire::write_parse(out, protocol::taken_name, parse.text, parse.parameter_types);
    exchange.owe({.asked = Asked::parse, .text = named(parse.statement)});
    return PreparedStatements::Outcome::done;
}

}  // namespace

// Sent in an earlier batch that has not been answered: nobody knows yet whether it stands. Within one batch order is
// enough, since a failure there skips whatever relies on it.
bool PreparedStatements::is_unsettled(std::uint32_t batch, pool::Server& server) {
    return batch != 0 && batch != server.exchange().batch();
}

void PreparedStatements::send_parse(StatementRef statement, std::unique_ptr<OwedText> name, Fate fate,
                                    const Lease& lease) {
    protocol::Exchange& exchange = lease.server.exchange();
    protocol::ServerStatements& statements = lease.server.statements();
    // More stay there for a while where nothing can be said yet of those that were used least recently.
    while (statements.size() > 0 && statements.size() >= lease.slots) {
        StatementRef evicted = statements.oldest(exchange.batch());
        if (evicted == nullptr) break;
        statements.close(*evicted, exchange.batch());
        wire::write_target(lease.to_server.join(), FrontendTag::close, 'S', evicted->server_name);
        exchange.owe({Asked::close, Fate::swallow, std::move(evicted)});
    }
    wire::write_parse(lease.to_server.join(), statement->server_name, statement->text, statement->parameter_types);
    ++lease.parses;
    statements.add(statement, exchange.batch());
    exchange.owe({.asked = Asked::parse, .fate = fate, .statement = std::move(statement), .text = std::move(name)});
}

// What a client's name stands for, nullptr for nothing. False: a batch that is unanswered decides about it; hold.
bool PreparedStatements::find(ByteView name, pool::Server& server,
                              const protocol::ClientStatements::Entry*& known) const {
    known = names_ == nullptr ? nullptr : names_->find(name);
    if (known == nullptr) return true;
    if (is_unsettled(known->batch, server)) return false;
    if (known->closed) known = nullptr;
    return true;
}

void PreparedStatements::owe_unnamed(protocol::Owed owed, pool::Server& server) {
    ++unnamed_unanswered_;
    unnamed_batch_ = server.exchange().batch();
    owed.unnamed = true;
    server.exchange().owe(std::move(owed));
}

void PreparedStatements::owe_unnamed(Asked asked, Fate fate, StatementRef statement, pool::Server& server) {
    owe_unnamed({asked, fate, std::move(statement)}, server);
}

// Gives what is to be bound there: the statement itself where it stands, else its text as it reads today.
PreparedStatements::Found PreparedStatements::put_on_server(const StatementRef& statement,
                                                            const protocol::DescriptionRef& told, const Lease& lease) {
    if (is_asking(lease.server.exchange())) return Admission(Outcome::hold_until_answered);
    protocol::ServerStatements& there = lease.server.statements();
    const auto* present = there.use(*statement);
    // Its Parse of an earlier batch is unanswered.
    if (present != nullptr && is_unsettled(present->batch, lease.server)) return Admission(Outcome::hold);
    const bool stands = present != nullptr && !present->closed;
    if (stands && is_as_told(*present, told)) {
        end_question();
        lease.metrics.statement_cache[Lookup::hit].add();
        return statement;
    }
    Found reading = reading_of(statement, told, stands, lease);
    const auto* now = std::get_if<StatementRef>(&reading);
    if (now == nullptr) return reading;
    present = there.use(**now);
    if (present != nullptr && is_unsettled(present->batch, lease.server)) return Admission(Outcome::hold);
    const bool is_there = present != nullptr && !present->closed;
    lease.metrics.statement_cache[is_there ? Lookup::hit : Lookup::miss].add();
    if (!is_there) send_parse(*now, nullptr, Fate::swallow, lease);
    return reading;
}

// The server's unnamed statement may be another client's, or this client's may have been left on another server.
// nullopt: it is there.
std::optional<PreparedStatements::Admission> PreparedStatements::put_unnamed_on_server(const Lease& lease) {
    if (lease.kept_to_the_end) return std::nullopt;
    if (is_asking(lease.server.exchange())) return Outcome::hold_until_answered;
    // An earlier batch decides about it.
    if (unnamed_unanswered_ > 0 && is_unsettled(unnamed_batch_, lease.server)) return Outcome::hold;
    if (unnamed_ != nullptr && lease.server.unnamed() == unnamed_) return std::nullopt;
    if (unnamed_ == nullptr) {
        // The client has none: the server must say so, whatever an earlier client left there.
        wire::write_target(lease.to_server.join(), FrontendTag::close, 'S', "");
        owe_unnamed(Asked::close, Fate::swallow, lease.server.unnamed(), lease.server);
    } else {
        const protocol::DescriptionRef told = told_of({});
        if (unnamed_->environment != lease.environment) {
            Found reading = reading_of(unnamed_, told, false, lease);
            if (auto* instead = std::get_if<Admission>(&reading)) return std::move(*instead);
            const bool was_settled = unnamed_settled_ == unnamed_;
            unnamed_ = std::get<StatementRef>(std::move(reading));
            if (told != nullptr) describing().unnamed = unnamed_;
            if (was_settled) unnamed_settled_ = unnamed_;
        }
        const bool has_types = told != nullptr && !told->parameter_types.empty();
        wire::write_parse(lease.to_server.join(), "", unnamed_->text,
                          has_types ? told->parameter_types : unnamed_->parameter_types);
        ++lease.parses;
        owe_unnamed(Asked::parse, Fate::swallow, unnamed_, lease.server);
    }
    lease.server.unnamed() = unnamed_;
    return std::nullopt;
}

PreparedStatements::Admission PreparedStatements::parse(const wire::Parse& parse, std::size_t message_bytes,
                                                        const Lease& lease) {
    protocol::Exchange& exchange = lease.server.exchange();
    end_question();
    if (parse.statement.empty()) {
        const bool is_same = unnamed_ != nullptr && unnamed_->environment == lease.environment &&
                             unnamed_->text == parse.text && unnamed_->parameter_types == parse.parameter_types;
        if (!is_same) unnamed_ = texts_.intern(parse.text, parse.parameter_types, lease.environment);
        lease.server.unnamed() = unnamed_;
        ++lease.parses;
        owe_unnamed(Asked::parse, Fate::forward, unnamed_, lease.server);
        return Outcome::pass;
    }
    if (names_ == nullptr) names_ = std::make_unique<protocol::ClientStatements>();
    const protocol::ClientStatements::Entry* known = nullptr;
    if (!find(parse.statement, lease.server, known)) return Outcome::hold;
    if (known != nullptr) return parse_again(parse, lease);
    if (names_->bytes() + message_bytes > most_statement_bytes) return too_many();
    if (lease.may_have_sql_names) ask_whether_sql_has_it(parse, lease);

    protocol::Environment environment = lease.environment;
    if (sql::may_read_clock(parse.text)) environment.parse = texts_.unshared();
    StatementRef statement = texts_.intern(parse.text, parse.parameter_types, environment);
    const auto* present = lease.server.statements().use(*statement);
    if (present != nullptr && is_unsettled(present->batch, lease.server)) return Outcome::hold;
    if (present != nullptr && present->closed) present = nullptr;
    names_->add(parse.statement, statement, exchange.batch());
    if (present == nullptr) {
        lease.metrics.statement_cache[Lookup::miss].add();
        send_parse(std::move(statement), named(parse.statement), Fate::forward, lease);
    } else if (exchange.status() != TransactionStatus::failed && !exchange.may_copy()) {
        lease.metrics.statement_cache[Lookup::hit].add();
        exchange.owe({.asked = Asked::parse,
                      .fate = Fate::invent,
                      .statement = std::move(statement),
                      .text = named(parse.statement)});
    } else {
        // In a transaction that has failed, or may have, and behind what may be a COPY, only the server can answer.
        wire::write_target(lease.to_server.join(), FrontendTag::close, 'S', statement->server_name);
        exchange.owe({Asked::close, Fate::swallow, statement});
        lease.server.statements().close(*statement, exchange.batch());
        send_parse(std::move(statement), named(parse.statement), Fate::forward, lease);
    }
    return Outcome::done;
}

// By the client's name. nullptr: it goes by the same name there, or by none.
PreparedStatements::Found PreparedStatements::put_on_server(ByteView name, const Lease& lease) {
    if (name.empty()) {
        if (auto instead = put_unnamed_on_server(lease)) return *std::move(instead);
        return StatementRef();
    }
    const protocol::ClientStatements::Entry* known = nullptr;
    if (!find(name, lease.server, known)) return Admission(Outcome::hold);
    if (known == nullptr && is_reserved(name)) return Admission(unknown(name));
    if (known == nullptr) return StatementRef();
    return put_on_server(known->statement, known->told, lease);
}

const protocol::Statement* PreparedStatements::meant_by(ByteView name) const {
    if (name.empty()) return unnamed_.get();
    const auto* known = names_ == nullptr ? nullptr : names_->find(name);
    return known == nullptr ? nullptr : known->statement.get();
}

PreparedStatements::Admission PreparedStatements::bind(const wire::Bind& bind, std::size_t rest_bytes,
                                                       const Lease& lease) {
    protocol::Exchange& exchange = lease.server.exchange();
    bound_ = nullptr;
    if (describing_ != nullptr) describing_->untold = nullptr;
    const protocol::ClientStatements::Entry* known = nullptr;
    if (!find(bind.statement, lease.server, known)) return Outcome::hold;
    if (bind.statement.empty())
        bound_ = unnamed_.get();
    else if (known != nullptr)
        bound_ = known->statement.get();
    if (has_deallocating_portals()) names_->unbind(bind.portal);
    if (bound_ != nullptr && bound_->nature != 0) {
        // Before anything is sent for it: what that is owed would have to be waited for in turn.
        const auto name = deallocated_by(bound_->text);
        if (name && exchange.owes() && !exchange.ignores_sync()) return Outcome::hold_until_answered;
        if (name && !exchange.owes() && exchange.status() != TransactionStatus::failed) {
            return bind_deallocation(bind, rest_bytes, *name, lease);
        }
    }
    const Found found = put_on_server(bind.statement, lease);
    if (const auto* refused = std::get_if<Admission>(&found)) {
        bound_ = nullptr;
        return *refused;
    }
    const StatementRef& statement = std::get<StatementRef>(found);
    bound_ = bind.statement.empty() ? unnamed_.get() : statement.get();
    exchange.owe(Asked::bind);
    if (statement == nullptr) return Outcome::pass;
    if (known->told == nullptr && bind.portal.empty()) {
        describing().untold = statement;
        describing_->untold_known = known->statement;
        describing_->untold_name = bind.statement;
        describing_->untold_batch = exchange.batch();
    }
    wire::write_bind_front(lease.to_server.join(), bind.portal, statement->server_name, rest_bytes);
    lease.to_server.add(bind.rest);
    return Outcome::done;
}

PreparedStatements::Admission PreparedStatements::describe(const wire::Target& statement, const Lease& lease) {
    const Found found = put_on_server(statement.name, lease);
    if (const auto* refused = std::get_if<Admission>(&found)) return *refused;
    const StatementRef& there = std::get<StatementRef>(found);
    const bool is_known = !statement.name.empty() || !lease.kept_to_the_end;
    const auto* known = names_ == nullptr ? nullptr : names_->find(statement.name);
    auto text = named(statement.name);
    text->known = statement.name.empty() ? unnamed_ : known == nullptr ? nullptr : known->statement;
    const StatementRef& described = statement.name.empty() ? unnamed_ : there;
    lease.server.exchange().owe(
        {.asked = Asked::describe_statement, .statement = is_known ? described : nullptr, .text = std::move(text)});
    if (there == nullptr) return Outcome::pass;
    wire::write_target(lease.to_server.join(), FrontendTag::describe, 'S', there->server_name);
    return Outcome::done;
}

// A client's Close takes its name away; the text stays prepared on the server for others, where it may be theirs.
PreparedStatements::Admission PreparedStatements::close(const wire::Target& statement, const Lease& lease) {
    const protocol::ClientStatements::Entry* known = nullptr;
    if (!find(statement.name, lease.server, known)) return Outcome::hold;
    if (known != nullptr || is_reserved(statement.name)) {
        close_named(known == nullptr ? nullptr : known->statement, statement.name, lease);
        return Outcome::done;
    }
    if (statement.name.empty()) {
        unnamed_.reset();
        lease.server.unnamed().reset();
        owe_unnamed(Asked::close, Fate::forward, nullptr, lease.server);
    } else {
        lease.server.exchange().owe(Asked::close);
    }
    return Outcome::pass;
}

void PreparedStatements::close_named(StatementRef statement, ByteView name, const Lease& lease) {
    protocol::Exchange& exchange = lease.server.exchange();
    auto text = named(name);
    text->told = told_of(name);
    if (names_ != nullptr) names_->close(name, exchange.batch());
    if (statement != nullptr && statement->environment.parse != 0) lease.server.statements().retire(*statement);
    end_loan(name, lease.server, lease.to_server);
    Fate fate = Fate::invent;
    if (exchange.may_copy()) {
        wire::write_target(lease.to_server.join(), FrontendTag::close, 'S', protocol::absent_name);
        fate = Fate::forward;
    }
    exchange.owe({.asked = Asked::close, .fate = fate, .statement = std::move(statement), .text = std::move(text)});
}

std::optional<std::string> PreparedStatements::deallocated_by(ByteView text) const {
    if (names_ == nullptr) return std::nullopt;
    auto name = sql::deallocated_name(text);
    return name && names_->find(*name) != nullptr ? name : std::nullopt;
}

// The text stays prepared on the server for others, so the server is given another name to deallocate, and answers as
// it does. The empty text can always be prepared.
void PreparedStatements::prepare_gone(pool::Server& server, Bytes& out) {
    Asking(out, server.exchange(), Fate::swallow).parse_anew(protocol::gone_name, "");
}

void PreparedStatements::deallocate(ByteView name, pool::Server& server, wire::Outbox& to_server) {
    end_loan(name, server, to_server);
    Bytes& out = to_server.join();
    prepare_gone(server, out);
    wire::write_query(out, deallocate_gone);
    server.exchange().owe({.asked = Asked::query, .text = named(name)});
}

// As above. The client's own statement stays what it is: the portal alone is made from ours.
PreparedStatements::Admission PreparedStatements::bind_deallocation(const wire::Bind& bind, std::size_t rest_bytes,
                                                                    ByteView name, const Lease& lease) {
    protocol::Exchange& exchange = lease.server.exchange();
    if (exchange.at_rest()) names_->forget_portals();
    if (names_->has_too_many_portals()) {
        return wire::error("54000", "too many portals that deallocate a prepared statement");
    }
    end_loan(name, lease.server, lease.to_server);
    Bytes& out = lease.to_server.join();
    prepare_gone(lease.server, out);
    Asking(out, exchange, Fate::swallow)
        .parse_anew(protocol::deallocate_name, deallocate_gone, bound_->parameter_types);
    wire::write_bind_front(out, bind.portal, protocol::deallocate_name, rest_bytes);
    lease.to_server.add(bind.rest);
    exchange.owe({.asked = Asked::bind, .text = named(bind.statement)});
    names_->bind_deallocation(bind.portal, name);
    return Outcome::done;
}

protocol::Owed PreparedStatements::execute(ByteView portal) const {
    const ByteView name = names_ == nullptr ? ByteView() : names_->deallocated_by_portal(portal);
    if (name.empty()) return {Asked::execute};
    return {.asked = Asked::execute, .text = named(name)};
}

void PreparedStatements::close_unsent(ByteView name) {
    if (name.empty()) {
        forget_unnamed();
    } else if (names_ != nullptr) {
        names_->remove(name);
    }
}

void PreparedStatements::forget_unnamed() {
    unnamed_.reset();
    unnamed_settled_.reset();
    unnamed_outdated_ = unnamed_unanswered_;
}

void PreparedStatements::owe_refused(protocol::Owed parse, pool::Server& server) {
    unnamed_.reset();
    server.unnamed().reset();
    owe_unnamed(std::move(parse), server);
}

void PreparedStatements::forget_all(pool::Server& server) {
    server.forget_statements();
    if (names_ != nullptr) names_->forget_settled();
}

const std::string* PreparedStatements::name_of(ByteView server_name, const pool::Server& server) const {
    if (names_ == nullptr) return nullptr;
    for (const auto& there : server.statements().by_use()) {
        if (there.statement->server_name == server_name) return names_->name_of(*there.statement);
    }
    return nullptr;
}

void PreparedStatements::settle_unnamed(const protocol::Owed& owed, StatementRef now) {
    --unnamed_unanswered_;
    if (unnamed_outdated_ > 0)
        --unnamed_outdated_;
    else if (owed.fate == Fate::forward || owed.fate == Fate::substitute)
        unnamed_settled_ = std::move(now);
}

void PreparedStatements::on_parsed(const protocol::Owed& owed) {
    if (owed.unnamed) settle_unnamed(owed, owed.statement);
    // What the client was told before was of the one before.
    if (owed.unnamed && owed.fate == Fate::forward && describing_ != nullptr) describing_->unnamed = nullptr;
    if (is_of_a_name(owed) && names_ != nullptr) names_->settle(owed.text->name);
}

void PreparedStatements::on_closed(const protocol::Owed& owed) {
    if (owed.unnamed) settle_unnamed(owed, nullptr);
    if (is_of_a_name(owed) && names_ != nullptr) names_->settle(owed.text->name);
}

// Newest first, so each step finds the state that its message was admitted in. `was_read`: the server did not skip it
// but failed in it, and a Parse destroys the unnamed statement before it can fail.
void PreparedStatements::on_dropped(const protocol::Owed& owed, bool was_read) {
    if (owed.unnamed) {
        const bool is_outdated = unnamed_outdated_ > 0;
        settle_unnamed(owed, was_read ? nullptr : unnamed_settled_);
        // Where a later batch has parsed another one, that is the client's now.
        if (!is_outdated && unnamed_unanswered_ == 0) unnamed_ = unnamed_settled_;
    }
    const bool is_question = owed.asked == Asked::describe_statement && owed.fate == Fate::swallow;
    if (is_question && describing_ != nullptr) describing_->question.note_lost(*owed.statement);
    if (!is_of_a_name(owed) || names_ == nullptr) return;
    if (owed.asked == Asked::parse) names_->undo_add(owed.text->name);
    if (owed.asked == Asked::close) names_->undo_close(owed.text->name, owed.statement, owed.text->told);
}

}  // namespace pgsluice::session
