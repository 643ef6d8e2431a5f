// What the parser is asked about a client's statements, and what it has to be told to read them as the server will.
#include <pgsluice/session/session.hpp>

#include <algorithm>
#include <array>

namespace pgsluice::session {

using wire::TransactionStatus;

namespace {

// Encodings in which a byte of a character may look like a quote or a backslash. No server uses them itself.
bool hides_ascii(ByteView encoding) {
    static constexpr std::array<ByteView, 6> hiding{"SJIS", "BIG5", "GBK", "UHC", "GB18030", "JOHAB"};
    return encoding == "SHIFT_JIS_2004" || std::find(hiding.begin(), hiding.end(), encoding) != hiding.end();
}

}  // namespace

void Session::note_encoding(ByteView client_encoding) {
    encoding_hides_ascii_ = hides_ascii(client_encoding);
}

sql::Reading Session::reading() const {
    return {.standard_conforming_strings = !escapes_};
}

// Only what follows a backslash, and what is not ASCII, can be read in two ways.
bool Session::is_read_as_written(ByteView text) const {
    // Only of statements whose names are followed is it known what is run.
    const bool is_followed = preserves_state() && statements_.translates();
    const bool is_settled = !steps_unsettled_ && (is_followed || server_ == nullptr || !server_->exchange().owes());
    if (is_settled && !encoding_hides_ascii_) return true;
    return std::all_of(text.begin(), text.end(), [](char c) { return c != '\\' && static_cast<signed char>(c) >= 0; });
}

// nullptr where it cannot be told how the server will read the text. Good until the next call.
const sql::FactsRef* Session::facts_of(ByteView text) {
    return is_read_as_written(text) ? &context_.facts.facts_of(text, reading()) : nullptr;
}

// nullopt where something unanswered decides about it.
std::optional<bool> Session::in_transaction() {
    if (begin_.is_open()) return true;
    if (server_ == nullptr) return false;
    // The client has been told that it is, and nothing but that may be unanswered.
    if (server_->exchange().is_opening()) return true;
    if (!server_->exchange().owes()) transaction_unsettled_ = false;
    if (transaction_unsettled_) return std::nullopt;
    return server_->exchange().status() != TransactionStatus::idle;
}

// What is about to be sent may begin or end a transaction.
void Session::note_transaction_control(const sql::FactsRef* facts) {
    static const sql::Kinds deciding = *sql::kinds_named("transaction") | *sql::kinds_named("call") |
                                       *sql::kinds_named("do") | *sql::kinds_named("execute");
    transaction_unsettled_ |= facts == nullptr || *facts == nullptr || ((*facts)->kinds & deciding).any();
}

// nullopt where it is not known: what a server's configuration, role or database says of it, no client is told.
std::optional<ByteView> Session::search_path() const {
    if (!preserves_state() || steps_taken_ || is_changed() || wants_ == nullptr) return std::nullopt;
    const protocol::Parameter* role = wants_->find("role");
    if (role != nullptr && role->value != "none") return std::nullopt;
    if (wants_->find("session_authorization") != nullptr && wants_->find("session_authorization")->overrides) {
        return std::nullopt;
    }
    if (const protocol::Parameter* path = wants_->find("search_path")) return path->value;
    for (const auto& [name, value] : pool_->target().parameters) {
        if (protocol::same_name(name, "search_path")) return value;
    }
    return std::nullopt;
}

}  // namespace pgsluice::session
