// Messages of the extended protocol that are about prepared statements: see PreparedStatements.
#include <pgsluice/session/session.hpp>
#include <pgsluice/wire/writer.hpp>

#include <algorithm>
#include <array>

namespace pgsluice::session {

using protocol::Asked;
using Outcome = PreparedStatements::Outcome;

namespace {

// What on_closed() is to forget: see CalledNames::close().
std::unique_ptr<protocol::OwedText> closing(const wire::Target& target) {
    auto text = std::make_unique<protocol::OwedText>();
    text->name = target.kind + std::string(prefix(target.name, CalledNames::longest_name));
    return text;
}

// Where PostgreSQL names a prepared statement in an error; whatever else is called as ours are is the client's. Its
// messages may be in any language, and names have quotes in each.
ByteView name_of_ours(const wire::ErrorFields& fields) {
    static constexpr std::array<ByteView, 4> routines{"FetchPreparedStatement", "StorePreparedStatement",
                                                      "exec_bind_message", "EvaluateParams"};
    const bool is_told = std::find(routines.begin(), routines.end(), fields.routine) != routines.end();
    if (!is_told && !fields.routine.empty()) return {};
    const std::size_t at = fields.message.find(protocol::reserved_prefix);
    if (at == ByteView::npos) return {};
    const ByteView from = fields.message.substr(at);
    const auto is_part = [](char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return prefix(from, static_cast<std::size_t>(std::find_if_not(from.begin(), from.end(), is_part) - from.begin()));
}

// The name with its quotes and the space in front of them, where they are those of English.
ByteView in_quotes(ByteView name, ByteView body) {
    const auto front = static_cast<std::size_t>(name.data() - body.data());
    const bool is_quoted =
        front >= 2 && body.substr(front - 2, 2) == " \"" && body.substr(front + name.size(), 1) == "\"";
    return is_quoted ? body.substr(front - 2, name.size() + 3) : name;
}

bool is_to_come_again(const PreparedStatements::Admission& admission) {
    const auto* outcome = std::get_if<Outcome>(&admission);
    return outcome != nullptr && *outcome == Outcome::hold_until_answered;
}

}  // namespace

PreparedStatements::Lease Session::statement_lease(wire::Outbox& to_server) {
    const std::size_t slots = pool_->target().settings.max_prepared_statements;
    parsed_unseen_ |= may_be_set_unseen();
    return {*server_,
            to_server,
            metrics_,
            totals_.server_parses,
            slots,
            keeps_to_the_end_,
            may_have_sql_names(),
            environment(),
            pool_->share().schema_changes()};
}

void Session::forget_unnamed() {
    statements_.forget_unnamed();
    server_->unnamed().reset();
}

std::size_t Session::hold_until_settled(Pause how) {
    holding_ = true;
    client_->pause(how);
    return 0;
}

// What it waits for may be nothing but replies of ours, which have come then: it is not held, and may come again.
bool Session::waits_for_answers(const PreparedStatements::Admission& admission, wire::Outbox& to_server) {
    return is_to_come_again(admission) && hold_until_answered(to_server);
}

// `sent`: how much of the message is, where it is done.
std::size_t Session::follow(const PreparedStatements::Admission& admission, std::size_t sent, const wire::Frame& frame,
                            ByteView rest, wire::Outbox& to_server) {
    if (const auto* error = std::get_if<wire::SqlError>(&admission)) {
        refuse_in_place(*error, false, to_server);
        return drop(frame, rest);
    }
    switch (std::get<Outcome>(admission)) {
        case Outcome::pass: return pass(frame, rest, to_server);
        case Outcome::hold:
        case Outcome::hold_until_answered: return hold_until_settled();
        case Outcome::done: break;
    }
    client_rest_.expect(frame.size - sent, Rest::Goes::onward);
    return sent;
}

std::size_t Session::admit_parse(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server) {
    // Too long to be held: it goes on as it is, and so does everything else of this client, on this server.
    const bool is_long = rest.size() < frame.size;
    keeps_to_the_end_ |= is_long;
    const auto parse = wire::read_parse(wire::body_of(rest, frame));
    if (is_long || !parse || !statements_.translates()) {
        if (waits_to_know_names(to_server)) return 0;
        ++totals_.server_parses;
        if (measures() && parse) {
            const Callee callee = is_long ? Callee() : callee_of(parse->text, front_.limit());
            measured_->calls.names().prepare(parse->statement, is_long ? nullptr : &callee);
        }
        server_->exchange().owe(Asked::parse);
        return pass(frame, rest, to_server);
    }
    if (const auto taken = lend_names_to(parse->text, frame, rest, to_server)) return *taken;
    return follow(statements_.parse(*parse, frame.size, statement_lease(to_server)), frame.size, frame, rest,
                  to_server);
}

// Only the two names are looked at, so that long values can stream.
std::size_t Session::admit_bind(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server) {
    const std::size_t there = std::min(frame.size, rest.size());
    const auto bind = wire::read_bind(rest.substr(wire::header_bytes, there - wire::header_bytes));
    if (!bind && there < frame.size) {
        if (there < rulebook_->limits.inspect_bytes) return 0;
        // It must not pass as if it named nothing of ours.
        refuse_in_place(wire::error("54000", "names of a portal and a statement are longer than limits.inspect_bytes"),
                        false, to_server);
        return drop(frame, rest);
    }
    if (waits_to_know_names(to_server)) return 0;
    if (!bind || !statements_.translates()) {
        if (measures() && bind) note_bound(*bind);
        server_->exchange().owe(Asked::bind);
        return pass(frame, rest, to_server);
    }
    // Prepared when there was room for one more that is pinned.
    const bool may_refuse = preserves_state() && (rejects_pins() || !may_pin());
    const protocol::Statement* meant = may_refuse ? statements_.meant_by(bind->statement) : nullptr;
    if (meant != nullptr && meant->nature != 0) {
        if (const auto error = refuse_pin(static_cast<sql::SessionEffect>(meant->nature))) {
            refuse_in_place(*error, false, to_server);
            return drop(frame, rest);
        }
    }
    const auto* runs = statements_.meant_by(bind->statement);
    OwnError own;
    if (const auto* refused = runs == nullptr || front_.is_judged() ? nullptr : judge_again(*runs, own)) {
        refuse_in_place(*refused, false, to_server);
        return drop(frame, rest);
    }
    front_.note_judged();
    if (runs != nullptr) {
        if (const auto taken = lend_names_to(runs->text, frame, rest, to_server)) return *taken;
    }
    if (const auto* refused = judge_parsed_anew(bind->statement, own)) {
        refuse_in_place(*refused, false, to_server);
        return drop(frame, rest);
    }
    const std::size_t rest_bytes = frame.size - (there - bind->rest.size());
    PreparedStatements::Admission admission;
    do {
        admission = statements_.bind(*bind, rest_bytes, statement_lease(to_server));
        if (waits_for_answers(admission, to_server)) return 0;
    } while (is_to_come_again(admission));
    const bool is_bound = std::holds_alternative<Outcome>(admission) && std::get<Outcome>(admission) != Outcome::hold;
    if (measures() && is_bound) note_bound(*bind);
    const protocol::Statement* bound = statements_.bound();
    if (bound != nullptr && preserves_state()) note_transaction_end(bound->text);
    const bool may_differ =
        dialect_.is_out_of_standard() || dialect_.creates_temporary() || may_have_sql_names() || may_be_set_unseen();
    if (bound != nullptr && (bound->nature != 0 || may_differ) && preserves_state()) {
        const auto nature = static_cast<sql::SessionEffect>(bound->nature);
        const bool has_effect = effect_of(bound->text, nature) != sql::SessionEffect::none;
        note_effect_of_bound(bound->text, nature, bind->rest, there == frame.size);
        if (has_effect && sql::may_deallocate(bound->text)) forgetting_ = Forgetting::until_idle;
    }
    return follow(admission, there, frame, rest, to_server);
}

std::size_t Session::admit_execute(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server) {
    const ByteView body = prefix(rest, frame.size).substr(wire::header_bytes);
    const std::size_t name_end = body.find('\0');
    if (waits_to_know_names(to_server)) return 0;
    if (name_end == ByteView::npos) {
        // Malformed, which the server says.
        server_->exchange().owe(Asked::execute);
        return pass(frame, rest, to_server);
    }
    const ByteView portal = prefix(body, name_end);
    const Callee* callee = measures() ? measured_->calls.names().bound(portal) : nullptr;
    if (measures() && callee == nullptr) {
        if (rules_.may_limit() && measured_->calls.sees_all()) {
            refuse_in_place(error_of_unknown(portal), false, to_server);
            return drop(frame, rest);
        }
        static const Callee unknown;
        callee = &unknown;
    }
    const bool is_limited = callee != nullptr && callee->limit != nullptr;
    if (is_limited && callee->limit->usage != nullptr) {
        OwnError refused;
        const Entry entry = take_turn(*callee->limit, callee->facts.get(), to_server, refused);
        if (entry == Entry::held) return 0;
        if (entry == Entry::refused) {
            tell_of_refusal(*callee);
            refuse_in_place(*refused, false, to_server);
            return drop(frame, rest);
        }
    }
    ++totals_.queries;
    metrics_.queries[metrics::QueryKind::extended_execute].add();
    if (statements_.has_deallocating_portals() || measures()) {
        protocol::Owed owed = statements_.execute(portal);
        // Else the answer to what runs before it comes with its own, and nobody knows which of them runs.
        if (is_limited && server_->exchange().may_copy()) wire::write_empty(to_server.join(), wire::FrontendTag::flush);
        if (callee != nullptr) owed.call = begin_call(*callee);
        server_->exchange().owe(std::move(owed));
        if (is_limited) return pass_limited(frame, rest, to_server);
    } else {
        server_->exchange().owe(Asked::execute);
    }
    return pass(frame, rest, to_server);
}

std::size_t Session::admit_describe(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server) {
    const auto target = wire::read_target(wire::body_of(rest, frame));
    const bool is_portal = target && target->kind == 'P';
    if (!target || is_portal || !statements_.translates()) {
        protocol::Exchange& exchange = server_->exchange();
        exchange.owe(is_portal ? statements_.describe_portal(target->name, exchange)
                               : protocol::Owed{Asked::describe_statement});
        return pass(frame, rest, to_server);
    }
    const auto* meant = statements_.meant_by(target->name);
    if (meant != nullptr) {
        if (const auto taken = lend_names_to(meant->text, frame, rest, to_server)) return *taken;
    }
    OwnError own;
    if (const auto* refused = judge_parsed_anew(target->name, own)) {
        refuse_in_place(*refused, false, to_server);
        return drop(frame, rest);
    }
    PreparedStatements::Admission admission;
    do {
        admission = statements_.describe(*target, statement_lease(to_server));
        if (waits_for_answers(admission, to_server)) return 0;
    } while (is_to_come_again(admission));
    return follow(admission, frame.size, frame, rest, to_server);
}

std::size_t Session::admit_close(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server) {
    const auto target = wire::read_target(wire::body_of(rest, frame));
    if (!target || target->kind != 'S' || !statements_.translates()) {
        protocol::Owed owed{Asked::close};
        if (measures() && target) owed.text = closing(*target);
        // A cursor is a portal, and this closes it as CLOSE does.
        const bool is_cursor = target && target->kind == 'P' && pins_.has(protocol::Pin::cursor);
        if (is_cursor) note_effect(sql::SessionEffect::ends, {});
        server_->exchange().owe(std::move(owed));
        return pass(frame, rest, to_server);
    }
    return follow(statements_.close(*target, statement_lease(to_server)), frame.size, frame, rest, to_server);
}

// An error that names a statement of ours, told by the client's own name for it. False: it does not. `parsed`: the name
// that it has tried to give, if any.
bool Session::relay_in_clients_words(const wire::ErrorFields& fields, ByteView parsed, ByteView body,
                                     wire::Outbox& to_client) {
    const ByteView ours = name_of_ours(fields);
    if (ours.empty()) return false;
    static const std::string unnamed;
    const std::string* known = ours == protocol::deallocate_name ? &unnamed : statements_.name_of(ours, *server_);
    // Somebody took our statements away behind our back (DEALLOCATE in a function), or made one: what is prepared there
    // nobody knows any more. A name that the client has given twice exists.
    const bool is_digest = ours.size() == protocol::statement_name_bytes;
    const bool is_lost =
        is_digest && (fields.sqlstate == "26000" || (fields.sqlstate == "42P05" && ours != protocol::taken_name));
    if (is_lost) server_->doom(metrics::ServerClose::unclean);
    const bool is_nameless = known == nullptr && parsed.empty();
    if (is_nameless && is_lost) {
        wire::write_error(to_client.join(), wire::error("26000", "prepared statement does not exist"));
        return true;
    }
    if (is_nameless && !is_digest) return false;
    // A statement that the client has closed behind what the error is about has no other name any more.
    const ByteView cut = is_nameless ? in_quotes(ours, body) : ours;
    const ByteView name = known == nullptr || !parsed.empty() ? parsed : ByteView(*known);
    const auto front = static_cast<std::size_t>(cut.data() - body.data());
    wire::Writer writer(to_client.join());
    writer.begin(wire::BackendTag::error_response).bytes(body.substr(0, front));
    writer.bytes(name).bytes(body.substr(front + cut.size())).end();
    return true;
}

void Session::on_parsed(const protocol::Owed& owed) {
    server_->note_done(owed);
    statements_.on_parsed(owed);
}

void Session::on_closed(const protocol::Owed& owed) {
    server_->note_done(owed);
    statements_.on_closed(owed);
    const bool is_noted = measures() && owed.text != nullptr && owed.statement == nullptr;
    if (is_noted) measured_->calls.names().close(owed.text->name);
}

void Session::on_dropped(const protocol::Owed& owed, bool was_read) {
    server_->note_dropped(owed);
    statements_.on_dropped(owed, was_read);
    if (owed.call == 0) return;
    if (was_read)
        on_answered(owed.call);
    else
        measured_->calls.forget(owed.call);
}

}  // namespace pgsluice::session
