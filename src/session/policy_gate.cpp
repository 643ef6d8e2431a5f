// The policy hook: what the rules say about a statement, and how a refused one is answered.
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

}  // namespace

// The error that a Query or Parse is refused with; nullptr lets it pass.
const wire::SqlError* Session::judge(const wire::Frame& frame, ByteView rest, wire::SqlError& too_large) {
    const auto& limits = rulebook_->limits;
    if (frame.size > limits.message_bytes + std::uint64_t{1}) {
        too_large = wire::error("54000", "message is longer than limits.message_bytes allows",
                                "The message has " + std::to_string(frame.size) + " bytes.");
        return &too_large;
    }
    if (frame.size > limits.inspect_bytes) {
        if (rules_.may_block()) {
            too_large = wire::error(
                "54000", "statement is too long to be inspected",
                "Policies apply to this connection, and the statement has " + std::to_string(frame.size) + " bytes.",
                "Raise limits.inspect_bytes, or send the data as parameters or by COPY.");
            return &too_large;
        }
        metrics_.uninspected.add();
        return nullptr;
    }
    if (rules_.empty()) return nullptr;
    const ByteView text = wire::statement_text(static_cast<FrontendTag>(frame.tag), wire::body_of(rest, frame));
    const policy::Verdict verdict = rulebook_->policies.judge(rules_, text);
    if (verdict.rule || !verdict.hits.empty()) context_.host.on_verdict(*this, verdict);
    return verdict.blocks() ? verdict.error : nullptr;
}

void Session::refuse(const wire::Frame& frame, const wire::SqlError& error, wire::Outbox& to_server, Bytes& to_client) {
    const bool nothing_open = server_ == nullptr || (server_->exchange().at_rest() &&
                                                     server_->exchange().status() == TransactionStatus::idle);
    if (nothing_open)
        refuse_here(frame, error, to_client);
    else
        refuse_in_place(error, static_cast<FrontendTag>(frame.tag) == FrontendTag::query, to_server);
}

// Outside of any transaction and pipeline that a server knows of: none hears of it.
void Session::refuse_here(const wire::Frame& frame, const wire::SqlError& error, Bytes& to_client) {
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
    auto text = std::make_unique<protocol::OwedText>();
    text->error = error;
    if (is_query)
        wire::write_query(to_server.join(), protocol::refused_text);
    else
        wire::write_parse(to_server.join(), refused_name, protocol::refused_text, wire::no_parameter_types);
    server_->exchange().owe(
        {is_query ? Asked::query : Asked::parse, Fate::substitute, nullptr, false, std::move(text)});
}

}  // namespace pgsluice::session
