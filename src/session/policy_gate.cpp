// The policy hook: what the rules say about a statement, and how a refused one is answered.
#include <pgsluice/protocol/replication_command.hpp>
#include <pgsluice/session/session.hpp>
#include <pgsluice/wire/backend_messages.hpp>

namespace pgsluice::session {

using protocol::Asked;
using protocol::Fate;
using wire::FrontendTag;
using wire::TransactionStatus;

namespace {

// Never prepared, since the text is never accepted.
constexpr ByteView refused_name = "pgsluice_refused";

// As PostgreSQL does when it has read a Query, or a Parse without a name, whatever becomes of either.
bool destroys_unnamed(const wire::Frame& frame, ByteView rest) {
    const auto tag = static_cast<FrontendTag>(frame.tag);
    return tag == FrontendTag::query ||
           (tag == FrontendTag::parse && rest.substr(wire::header_bytes, 1) == ByteView("\0", 1));
}

protocol::Owed substituted(Asked asked, const wire::SqlError& error) {
    auto text = std::make_unique<protocol::OwedText>();
    text->error = error;
    return {.asked = asked, .fate = Fate::substitute, .text = std::move(text)};
}

}  // namespace

// The error that a Query or Parse is refused with; nullptr lets it pass.
const wire::SqlError* Session::judge(const wire::Frame& frame, ByteView rest, OwnError& too_large) {
    const auto& limits = rulebook_->limits;
    if (frame.size > limits.message_bytes + std::uint64_t{1}) {
        too_large = wire::error("54000", "message is longer than limits.message_bytes allows",
                                "The message has " + std::to_string(frame.size) + " bytes.");
        return &*too_large;
    }
    if (frame.size > limits.inspect_bytes) {
        if (rules_.may_block()) {
            too_large = wire::error(
                "54000", "statement is too long to be inspected",
                "Policies apply to this connection, and the statement has " + std::to_string(frame.size) + " bytes.",
                "Raise limits.inspect_bytes, or send the data as parameters or by COPY.");
            return &*too_large;
        }
        metrics_.uninspected.add();
        return nullptr;
    }
    if (rules_.empty()) return nullptr;
    const auto tag = static_cast<FrontendTag>(frame.tag);
    const ByteView text = wire::statement_text(tag, wire::body_of(rest, frame));
    policy::Verdict verdict;
    const wire::SqlError* error = judge_text({text}, std::nullopt, verdict, too_large);
    if (error != nullptr || verdict.action != policy::Action::rewrite) return error;
    return rewrite(frame, rest, *verdict.rule, too_large);
}

// What the rule puts into a text would be read as something else there, and what it looks for is written otherwise.
wire::SqlError Session::not_in_encoding_of(policy::RuleIndex rule) const {
    return wire::error("42501", "policy \"" + rulebook_->policies.name(rule) + "\" could not rewrite the statement",
                       "The policy has characters that are not ASCII, and client_encoding is not UTF8.");
}

// What goes on in the place of the message in front. A message that is malformed is PostgreSQL's to refuse.
const wire::SqlError* Session::rewrite(const wire::Frame& frame, ByteView rest, policy::RuleIndex rule, OwnError& own) {
    const ByteView body = wire::body_of(rest, frame);
    const auto tag = static_cast<FrontendTag>(frame.tag);
    const auto parse = tag == FrontendTag::parse ? wire::read_parse(body) : std::nullopt;
    const auto query = tag == FrontendTag::query ? wire::read_query(body) : std::nullopt;
    if (!parse && !query) return nullptr;
    const ByteView text = parse ? parse->text : query->text;
    const bool is_beyond_ascii = rulebook_->policies.rewrites_beyond_ascii(rule);
    if (is_beyond_ascii && !is_in_encoding_of_rules(text)) {
        own = not_in_encoding_of(rule);
        return &*own;
    }
    auto made = rulebook_->policies.rewrite(rule, text, dialect_.reading());
    if (auto* error = std::get_if<wire::SqlError>(&made)) {
        own = std::move(*error);
        return &*own;
    }
    const std::string& rewritten = std::get<std::string>(made);
    if (rewritten.size() > rulebook_->limits.inspect_bytes) {
        own = wire::error("54000", "statement is too long once it has been rewritten",
                          "It has " + std::to_string(rewritten.size()) + " bytes.");
        return &*own;
    }
    if (is_beyond_ascii && rewritten != text && !is_in_encoding_of_rules(rewritten)) {
        own = not_in_encoding_of(rule);
        return &*own;
    }
    // The rules behind that one are about what it has become.
    policy::Verdict verdict;
    if (const wire::SqlError* error = judge_text({rewritten}, rule, verdict, own)) return error;
    if (rewritten == text) return nullptr;
    auto other = std::make_unique<Bytes>();
    if (parse)
        wire::write_parse(*other, parse->statement, rewritten, parse->parameter_types);
    else
        wire::write_query(*other, rewritten);
    front_.replace_by(std::move(other));
    return nullptr;
}

// As if the client had sent the other one.
std::size_t Session::admit_rewritten(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server,
                                     Bytes& to_client) {
    to_server.join();  // what is sent of the other message is copied, for it goes before it is written
    const ByteView other = *front_.replacement();
    if (admit_judged(wire::cut_frontend(other), other, to_server, to_client) == 0) return 0;
    return drop(frame, rest);
}

policy::Verdict Session::verdict_on(Judged judged, std::optional<policy::RuleIndex> behind,
                                    const sql::FactsRef*& facts) {
    policy::Statement statement{.text = judged.text};
    if (rules_.need_facts()) {
        statement.is_sql = !pool_->target().is_replication() || !protocol::is_replication_command(judged.text);
        statement.facts = facts = facts_for_rules(judged.text, judged.is_parsed_apart || may_be_set_unseen());
    }
    if (measures() && !judged.is_lent) front_.keep_facts(facts == nullptr ? nullptr : *facts);
    if (rules_.depend_on_session() && !judged.runs_apart) {
        statement.in_transaction = in_transaction();
        statement.path = this;
        statement.server_user = pool_->target().user;
    }
    return rulebook_->policies.judge(rules_, statement, context_.shortlists, behind);
}

const wire::SqlError* Session::judge_text(Judged judged, std::optional<policy::RuleIndex> behind,
                                          policy::Verdict& verdict, OwnError& own) {
    const ByteView text = judged.text;
    const sql::FactsRef* facts = nullptr;
    verdict = verdict_on(judged, behind, facts);
    if (!judged.is_lent) note_limit(verdict);
    if (verdict.rule || !verdict.hits.empty()) {
        context_.host.on_verdict(*this, verdict, facts == nullptr ? facts_of(text) : facts, text);
    }
    if (verdict.action == policy::Action::rewrite) return nullptr;
    if (rules_.depend_on_session() && !verdict.blocks()) note_transaction_control(facts);
    return error_of(verdict, text, own);
}

const wire::SqlError* Session::error_of(const policy::Verdict& verdict, ByteView text, OwnError& own) {
    if (!verdict.is_unparsable) return verdict.blocks() ? verdict.error : nullptr;
    metrics_.unparsable.add();
    own = unparsable_error(*verdict.error, rulebook_->policies.name(*verdict.rule), text);
    return &*own;
}

// To rewrite it is too late: it is prepared.
const wire::SqlError* Session::judge_prepared(Judged judged, OwnError& own) {
    policy::Verdict verdict;
    const wire::SqlError* error = judge_text(judged, std::nullopt, verdict, own);
    return verdict.action == policy::Action::rewrite ? judge_text(judged, verdict.rule, verdict, own) : error;
}

// A prepared statement was judged when it was parsed, by the rules of that time and in the transaction of that time.
const wire::SqlError* Session::judge_again(const protocol::Statement& prepared, OwnError& own) {
    if (rules_.empty()) return nullptr;
    const Judged judged{prepared.text, prepared.environment.settings != dialect_.digest()};
    if (rules_have_changed_ || rules_.depend_on_session()) return judge_prepared(judged, own);
    if (!rules_.may_limit()) return nullptr;
    // The verdict is the one of then, and has been counted; its limit nobody has kept. Where it is not known any more
    // how the text was read, neither is the limit.
    const sql::FactsRef* facts = nullptr;
    policy::Verdict verdict = verdict_on(judged, std::nullopt, facts);
    if (verdict.action == policy::Action::rewrite) verdict = verdict_on(judged, verdict.rule, facts);
    note_limit(verdict);
    return verdict.is_unparsable ? error_of(verdict, prepared.text, own) : nullptr;
}

// A server that parses its text now reads the one that was judged.
bool Session::is_read_as_judged(const protocol::Statement& prepared) const {
    return prepared.environment.settings == dialect_.digest() && !dialect_.is_uncertain() && !may_be_set_unseen();
}

// A text that was judged, as it reads now, when a server is about to parse it again. Most read the same by whatever
// settings, and what passes has been counted.
const wire::SqlError* Session::judge_reading(Judged judged, OwnError& own) {
    if (!rules_.need_facts()) return nullptr;
    const bool names_the_same = !rules_.name_beyond_ascii() || is_ascii(judged.text);
    if (names_the_same && facts_either_way(judged.text) != nullptr) return nullptr;
    const sql::FactsRef* facts = nullptr;
    policy::Verdict verdict = verdict_on(judged, std::nullopt, facts);
    if (verdict.action == policy::Action::rewrite) verdict = verdict_on(judged, verdict.rule, facts);
    return verdict.blocks() ? judge_prepared(judged, own) : nullptr;
}

// For a Bind or Describe of the name.
const wire::SqlError* Session::judge_parsed_anew(ByteView name, OwnError& own) {
    if (!rules_.need_facts() || (keeps_to_the_end_ && name.empty())) return nullptr;
    const protocol::Statement* meant = statements_.meant_by(name);
    if (meant == nullptr || is_read_as_judged(*meant) || statements_.is_on_server(name, *server_)) return nullptr;
    return judge_reading({meant->text}, own);
}

// Statements that are about to be parsed by the client's names for them, and run by a text that has those.
const wire::SqlError* Session::judge_lent(const std::vector<PreparedStatements::Mentioned>& statements, Judged how,
                                          OwnError& own) {
    if (rules_.empty()) return nullptr;
    how.is_lent = true;
    for (const auto& each : statements) {
        if (each.closed || each.statement == nullptr) continue;
        how.text = each.statement->text;
        const bool is_as_judged = is_read_as_judged(*each.statement) && !how.is_parsed_apart;
        const wire::SqlError* error = nullptr;
        if (rules_have_changed_ || rules_.depend_on_session())
            error = judge_prepared(how, own);
        else if (!is_as_judged)
            error = judge_reading(how, own);
        if (error != nullptr) return error;
    }
    return nullptr;
}

// A mistake in the text is nearly always the reason, so its writer is told what the parser says.
wire::SqlError Session::unparsable_error(const wire::SqlError& of_rule, const std::string& rule, ByteView text) const {
    wire::SqlError error = of_rule;
    error.message = "the statement cannot be parsed, and policy \"" + rule + "\" asks what it does";
    error.detail =
        "It is longer than limits.parse_inline, or its encoding or the session's settings do not let it be "
        "read as the server will read it.";
    if (text.size() <= rulebook_->limits.parse_inline && dialect_.is_read_as_written(text)) {
        const std::string why = context_.facts.why_unparsable(text, dialect_.reading());
        if (!why.empty()) error.detail = "The parser says: " + why;
    }
    error.hint = "policy_defaults.on_unparsable decides about such statements.";
    return error;
}

void Session::refuse(const wire::Frame& frame, ByteView rest, const wire::SqlError& error, wire::Outbox& to_server,
                     Bytes& to_client) {
    const bool nothing_open = server_ == nullptr || (server_->exchange().at_rest() &&
                                                     server_->exchange().status() == TransactionStatus::idle);
    if (nothing_open) return refuse_here(frame, rest, error, to_client);
    const bool is_query = static_cast<FrontendTag>(frame.tag) == FrontendTag::query;
    if (!is_query && destroys_unnamed(frame, rest)) return refuse_unnamed_parse(error, to_server);
    // Where it may be skipped the statement may stay.
    if (is_query && !server_->exchange().may_skip()) forget_unnamed();
    refuse_in_place(error, is_query, to_server);
}

// Outside of any transaction and pipeline that a server knows of: none hears of it.
void Session::refuse_here(const wire::Frame& frame, ByteView rest, const wire::SqlError& error, Bytes& to_client) {
    if (destroys_unnamed(frame, rest)) statements_.forget_unnamed();
    wire::write_error(to_client, error);
    context_.metrics.errors.count(metrics::ErrorOrigin::pgsluice, error.code());
    if (begin_.is_open()) begin_.fail();
    const auto tag = static_cast<FrontendTag>(frame.tag);
    if (tag == FrontendTag::query || tag == FrontendTag::function_call) {
        wire::write_ready_for_query(to_client, begin_.status());
    } else {
        skipping_here_ = true;
    }
}

// The server is given a statement that fails in its place, and the ledger substitutes the error.
void Session::refuse_in_place(const wire::SqlError& error, bool is_query, wire::Outbox& to_server) {
    if (is_query)
        wire::write_query(to_server.join(), protocol::refused_text);
    else
        wire::write_parse(to_server.join(), refused_name, protocol::refused_text, wire::no_parameter_types);
    server_->exchange().owe(substituted(is_query ? Asked::query : Asked::parse, error));
}

// One that fails there destroys the unnamed statement as the client's own would, unless the server skips it.
void Session::refuse_unnamed_parse(const wire::SqlError& error, wire::Outbox& to_server) {
    wire::write_parse(to_server.join(), {}, protocol::refused_text, wire::no_parameter_types);
    protocol::Owed owed = substituted(Asked::parse, error);
    if (statements_.translates())
        statements_.owe_refused(std::move(owed), *server_);
    else
        server_->exchange().owe(std::move(owed));
}

}  // namespace pgsluice::session
