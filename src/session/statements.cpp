// Prepared statements in transaction mode. A client's name stands for a text; a server knows that text by a name of
// ours, or learns it just before it is needed. Where the answer depends on replies that have not come (has that Parse
// succeeded?) the client is held until they have.
#include <pgsluice/session/session.hpp>

#include <algorithm>

namespace pgsluice::session {

using metrics::Lookup;
using protocol::Asked;
using protocol::Fate;
using protocol::OwedText;
using protocol::StatementRef;
using wire::FrontendTag;
using wire::TransactionStatus;

namespace {

std::unique_ptr<OwedText> named(ByteView name) {
    auto text = std::make_unique<OwedText>();
    text->name = name;
    return text;
}

bool is_reserved(ByteView name) {
    return name.starts_with(protocol::reserved_prefix);
}

wire::SqlError duplicate(ByteView name) {
    return wire::error("42P05", "prepared statement \"" + std::string(name) + "\" already exists");
}

// PostgreSQL lets a session prepare until its own process has no memory left; this process belongs to everybody.
constexpr std::size_t most_statement_bytes = std::size_t{32} * 1024 * 1024;

wire::SqlError too_many() {
    return wire::error("54000", "too many prepared statements",
                       "The names and texts that this client has prepared take 32 MiB.",
                       "Deallocate those that are no longer needed.");
}

wire::SqlError unknown(ByteView name) {
    return wire::error("26000", "prepared statement \"" + std::string(name) + "\" does not exist");
}

}  // namespace

// Sent in an earlier batch that has not been answered: nobody knows yet whether it stands. Within one batch order is
// enough, since a failure there skips whatever relies on it.
bool Session::is_unsettled(std::uint32_t batch) const {
    return batch != 0 && batch != server_->exchange().batch();
}

// What a client's name stands for, nullptr for nothing. False: a batch that is unanswered decides about it; hold.
bool Session::find_statement(ByteView name, const protocol::ClientStatements::Entry*& known) const {
    known = statements_ == nullptr ? nullptr : statements_->find(name);
    if (known == nullptr) return true;
    if (is_unsettled(known->batch)) return false;
    if (known->closed) known = nullptr;
    return true;
}

std::size_t Session::hold_until_settled() {
    holding_ = true;
    client_->pause(Pause::unsettled);
    return 0;
}

std::size_t Session::admit_parse(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server) {
    protocol::Exchange& exchange = server_->exchange();
    if (rest.size() < frame.size) {
        // Too long to be held: it goes on as it is, and so does everything else of this client, on this server.
        pinned_ = true;
        exchange.owe(Asked::parse);
        return pass(frame, rest, to_server);
    }
    const auto parse = wire::read_parse(wire::body_of(rest, frame));
    if (!parse || !translates_statements_) {
        exchange.owe(Asked::parse);
        return pass(frame, rest, to_server);
    }
    if (parse->statement.empty()) {
        const bool is_same =
            unnamed_ != nullptr && unnamed_->text == parse->text && unnamed_->parameter_types == parse->parameter_types;
        if (!is_same) unnamed_ = context_.statements.intern(parse->text, parse->parameter_types);
        server_->unnamed() = unnamed_;
        ++unnamed_parses_;
        exchange.owe({Asked::parse, Fate::forward, unnamed_, true});
        return pass(frame, rest, to_server);
    }

    if (statements_ == nullptr) statements_ = std::make_unique<protocol::ClientStatements>();
    const protocol::ClientStatements::Entry* known = nullptr;
    if (!find_statement(parse->statement, known)) return hold_until_settled();
    if (known != nullptr) {
        refuse_in_place(duplicate(parse->statement), false, to_server);
        return frame.size;
    }
    if (statements_->bytes() + frame.size > most_statement_bytes) {
        refuse_in_place(too_many(), false, to_server);
        return frame.size;
    }
    const StatementRef statement = context_.statements.intern(parse->text, parse->parameter_types);
    const auto* present = server_->statements().use(*statement);
    if (present != nullptr && is_unsettled(present->batch)) return hold_until_settled();
    statements_->add(parse->statement, statement, exchange.batch());
    if (present == nullptr) {
        metrics_.statement_cache[Lookup::miss].add();
        send_parse(statement, named(parse->statement), Fate::forward, to_server);
    } else if (exchange.status() != TransactionStatus::failed && !exchange.may_copy()) {
        metrics_.statement_cache[Lookup::hit].add();
        exchange.owe({Asked::parse, Fate::invent, statement, false, named(parse->statement)});
    } else {
        // In a transaction that has failed, or may have, and behind what may be a COPY, only the server can answer.
        wire::write_target(to_server.join(), FrontendTag::close, 'S', statement->server_name);
        exchange.owe({Asked::close, Fate::swallow, statement});
        server_->statements().remove(*statement);
        send_parse(statement, named(parse->statement), Fate::forward, to_server);
    }
    return frame.size;
}

void Session::send_parse(StatementRef statement, std::unique_ptr<OwedText> name, Fate fate, wire::Outbox& to_server) {
    protocol::Exchange& exchange = server_->exchange();
    protocol::ServerStatements& statements = server_->statements();
    if (statements.size() > 0 && statements.size() >= pool_->target().settings.max_prepared_statements) {
        StatementRef evicted = statements.evict();
        wire::write_target(to_server.join(), FrontendTag::close, 'S', evicted->server_name);
        exchange.owe({Asked::close, Fate::swallow, std::move(evicted)});
    }
    wire::write_parse(to_server.join(), statement->server_name, statement->text, statement->parameter_types);
    statements.add(statement, exchange.batch());
    exchange.owe({Asked::parse, fate, std::move(statement), false, std::move(name)});
}

// False: its Parse of an earlier batch is unanswered; hold.
bool Session::put_on_server(protocol::Statement& statement, wire::Outbox& to_server) {
    const auto* present = server_->statements().use(statement);
    if (present != nullptr) {
        if (is_unsettled(present->batch)) return false;
        metrics_.statement_cache[Lookup::hit].add();
        return true;
    }
    metrics_.statement_cache[Lookup::miss].add();
    send_parse(StatementRef(&statement), nullptr, Fate::swallow, to_server);
    return true;
}

// The server's unnamed statement may be another client's, or this client's may have been left on another server.
void Session::put_unnamed_on_server(wire::Outbox& to_server) {
    protocol::Exchange& exchange = server_->exchange();
    if ((unnamed_ != nullptr && server_->unnamed() == unnamed_) || pinned_) return;
    if (unnamed_ == nullptr) {
        // The client has none: the server must say so, whatever an earlier client left there.
        wire::write_target(to_server.join(), FrontendTag::close, 'S', "");
        exchange.owe({Asked::close, Fate::swallow, server_->unnamed(), true});
    } else {
        wire::write_parse(to_server.join(), "", unnamed_->text, unnamed_->parameter_types);
        exchange.owe({Asked::parse, Fate::swallow, unnamed_, true});
    }
    server_->unnamed() = unnamed_;
}

std::size_t Session::admit_bind(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server) {
    protocol::Exchange& exchange = server_->exchange();
    const std::size_t there = std::min(frame.size, rest.size());
    const auto bind = wire::read_bind(rest.substr(wire::header_bytes, there - wire::header_bytes));
    if (!bind && there < frame.size && there < rulebook_->limits.inspect_bytes) return 0;
    if (!bind || !translates_statements_) {
        exchange.owe(Asked::bind);
        return pass(frame, rest, to_server);
    }
    if (bind->statement.empty()) {
        put_unnamed_on_server(to_server);
        exchange.owe(Asked::bind);
        return pass(frame, rest, to_server);
    }
    const protocol::ClientStatements::Entry* known = nullptr;
    if (!find_statement(bind->statement, known)) return hold_until_settled();
    if (known == nullptr) {
        if (is_reserved(bind->statement)) {
            refuse_in_place(unknown(bind->statement), false, to_server);
            return drop(frame, rest);
        }
        exchange.owe(Asked::bind);
        return pass(frame, rest, to_server);
    }
    if (!put_on_server(*known->statement, to_server)) return hold_until_settled();
    const std::size_t rest_bytes = frame.size - (there - bind->rest.size());
    wire::write_bind_front(to_server.join(), bind->portal, known->statement->server_name, rest_bytes);
    to_server.add(bind->rest);
    exchange.owe(Asked::bind);
    client_rest_ = frame.size - there;
    client_rest_goes_ = Rest::onward;
    return there;
}

std::size_t Session::admit_describe(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server) {
    protocol::Exchange& exchange = server_->exchange();
    const auto target = wire::read_target(wire::body_of(rest, frame));
    if (target && target->kind == 'P') {
        exchange.owe(Asked::describe_portal);
        return pass(frame, rest, to_server);
    }
    if (target && translates_statements_ && !target->name.empty()) {
        const protocol::ClientStatements::Entry* known = nullptr;
        if (!find_statement(target->name, known)) return hold_until_settled();
        if (known != nullptr) {
            if (!put_on_server(*known->statement, to_server)) return hold_until_settled();
            wire::write_target(to_server.join(), FrontendTag::describe, 'S', known->statement->server_name);
            exchange.owe(Asked::describe_statement);
            return frame.size;
        }
        if (is_reserved(target->name)) {
            refuse_in_place(unknown(target->name), false, to_server);
            return frame.size;
        }
    } else if (target && translates_statements_) {
        put_unnamed_on_server(to_server);
    }
    exchange.owe(Asked::describe_statement);
    return pass(frame, rest, to_server);
}

// A client's Close takes its name away; the text stays prepared on the server for others.
std::size_t Session::admit_close(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server) {
    protocol::Exchange& exchange = server_->exchange();
    const auto target = wire::read_target(wire::body_of(rest, frame));
    if (target && target->kind == 'S' && translates_statements_) {
        const protocol::ClientStatements::Entry* known = nullptr;
        if (!find_statement(target->name, known)) return hold_until_settled();
        if (known != nullptr || is_reserved(target->name)) {
            close_statement(known == nullptr ? nullptr : known->statement, target->name, to_server);
            return frame.size;
        }
        if (target->name.empty()) {
            unnamed_.reset();
            server_->unnamed().reset();
        }
    }
    exchange.owe(Asked::close);
    return pass(frame, rest, to_server);
}

void Session::close_statement(StatementRef statement, ByteView name, wire::Outbox& to_server) {
    protocol::Exchange& exchange = server_->exchange();
    if (statements_ != nullptr) statements_->close(name, exchange.batch());
    Fate fate = Fate::invent;
    if (exchange.may_copy()) {
        wire::write_target(to_server.join(), FrontendTag::close, 'S', protocol::absent_name);
        fate = Fate::forward;
    }
    exchange.owe({Asked::close, fate, std::move(statement), false, named(name)});
}

// --- What became of them ---------------------------------------------------------------------------------------------

void Session::on_parsed(const protocol::Owed& owed) {
    server_->note_parsed(owed);
    if (owed.unnamed && owed.fate == Fate::forward) --unnamed_parses_;
    if (owed.text != nullptr && statements_ != nullptr) statements_->settle(owed.text->name);
}

void Session::on_closed(const protocol::Owed& owed) {
    if (owed.text != nullptr && statements_ != nullptr) statements_->settle_close(owed.text->name);
}

// Newest first, so each step finds the state that its message was admitted in.
void Session::on_dropped(const protocol::Owed& owed) {
    server_->note_dropped(owed);
    const bool is_clients_parse = owed.asked == Asked::parse && owed.fate == Fate::forward;
    // Where a later batch has parsed another one, that is the client's now.
    if (owed.unnamed && is_clients_parse && --unnamed_parses_ == 0) unnamed_.reset();
    if (owed.text == nullptr || owed.statement == nullptr || statements_ == nullptr) return;
    if (owed.asked == Asked::parse) statements_->remove(owed.text->name);
    if (owed.asked == Asked::close) statements_->add(owed.text->name, owed.statement, 0);
}

}  // namespace pgsluice::session
