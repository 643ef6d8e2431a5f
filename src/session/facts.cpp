// What the parser is asked about a client's statements, and what it has to be told to read them as the server will.
#include <pgsluice/base/ascii.hpp>
#include <pgsluice/base/escape.hpp>
#include <pgsluice/session/session.hpp>

namespace pgsluice::session {

using wire::TransactionStatus;

bool Session::may_be_set_unseen() const {
    return server_ != nullptr && server_->exchange().has_reports_due();
}

// nullptr where it cannot be told how the server will read the text. Good until the next call.
const sql::FactsRef* Session::facts_of(ByteView text) {
    return facts_of(text, may_be_set_unseen());
}

const sql::FactsRef* Session::facts_of(ByteView text, bool may_be_read_otherwise) {
    if (!dialect_.is_read_as_written(text)) return nullptr;
    if (may_be_read_otherwise && text.find('\\') != ByteView::npos) return facts_either_way(text);
    return &context_.facts.facts_of(text, dialect_.reading());
}

// Rules name things in UTF-8. In another encoding other bytes have the same name; and what is no valid UTF-8 is in
// another one, whatever the session says.
bool Session::is_in_encoding_of_rules(ByteView text) const {
    return is_ascii(text) || (dialect_.is_utf8() && is_utf8(text));
}

// Of those that rules compare: nullptr, too, where the text names things by other bytes than the rules may.
const sql::FactsRef* Session::facts_for_rules(ByteView text, bool may_be_read_otherwise) {
    const sql::FactsRef* facts = facts_of(text, may_be_read_otherwise);
    const bool compares_bytes = rules_.name_beyond_ascii() && facts != nullptr && *facts != nullptr;
    if (!compares_bytes || is_in_encoding_of_rules(text) || sql::names_only_ascii(**facts)) return facts;
    return nullptr;
}

// Of a text with a backslash, where what ran before it may have changed how that is read (a function does it, and no
// text says so) or it was parsed by other settings: known where both readings have the same facts, as those of a
// regular expression's '\d'. A byte that is not ASCII may take a backslash behind it for its own, and nothing else that
// tells where a constant ends.
const sql::FactsRef* Session::facts_either_way(ByteView text) {
    for (std::size_t at = text.find('\\', 1); at != ByteView::npos; at = text.find('\\', at + 1)) {
        if (is_beyond_ascii(text[at - 1])) return nullptr;
    }
    const sql::FactsRef one = context_.facts.facts_of(text, {.standard_conforming_strings = true});
    const sql::FactsRef& other = context_.facts.facts_of(text, {.standard_conforming_strings = false});
    if (one == nullptr || other == nullptr) return nullptr;
    // The same but for the values of constants.
    const bool is_same = one->fingerprint == other->fingerprint && one->normalized == other->normalized;
    return is_same ? &other : nullptr;
}

// nullopt where something unanswered decides about it.
std::optional<bool> Session::in_transaction() {
    if (begin_.is_open()) return true;
    if (server_ == nullptr) return false;
    // The client has been told that it is, and nothing but that may be unanswered.
    if (server_->exchange().is_opening()) return true;
    if (server_->exchange().at_rest()) transaction_unsettled_ = false;
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
    if (!preserves_state() || dialect_.has_stepped() || is_changed() || wants_ == nullptr) return std::nullopt;
    const protocol::Parameter* role = wants_->find("role");
    if (role != nullptr && role->value != "none") return std::nullopt;
    if (wants_->find("session_authorization") != nullptr && wants_->find("session_authorization")->overrides) {
        return std::nullopt;
    }
    if (const protocol::Parameter* path = wants_->find("search_path")) {
        const bool is_comparable = !rules_.name_beyond_ascii() || is_ascii(path->value) || path->encoding == "UTF8";
        return is_comparable ? std::optional<ByteView>(path->value) : std::nullopt;
    }
    const ByteView of_route = path_of_route();
    return of_route.data() == nullptr ? std::nullopt : std::optional<ByteView>(of_route);
}

ByteView Session::path_of_route() const {
    for (const auto& [name, value] : pool_->target().parameters) {
        if (protocol::same_name(name, "search_path")) return value;
    }
    return {};
}

}  // namespace pgsluice::session
