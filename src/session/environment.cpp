// What the client's texts mean: a digest of its settings, kept up with step by step while a transaction changes them,
// and taken from the settings themselves at rest.
#include <pgsluice/base/lower_case.hpp>
#include <pgsluice/session/session.hpp>

namespace pgsluice::session {

using sql::SessionEffect;

namespace {

constexpr ByteView standard_conforming_strings = "standard_conforming_strings";

bool has_temporary_schema(const protocol::Parameter* search_path) {
    return search_path != nullptr && search_path->value.find("pg_temp") != std::string::npos;
}

}  // namespace

// A step that has not been answered may have failed, so what is parsed behind it is for this client alone.
protocol::Environment Session::environment() const {
    return {steps_unsettled_ ? context_.statements.unshared() : settings_, pool_->share().schema_changes().count()};
}

// Clients that come from the same settings by the same SETs have the same. What else a text may do cannot be told from
// it.
void Session::step_environment(ByteView text) {
    const bool is_known = sql::is_plain_set(text) && !steps_unsettled_;
    settings_ = is_known ? context_.statements.then(settings_, text) : context_.statements.unshared();
    steps_taken_ = true;
    steps_unsettled_ = true;
}

void Session::settle_environment() {
    steps_taken_ = false;
    steps_unsettled_ = false;
    const protocol::Parameter* strings = wants_->find(standard_conforming_strings);
    escapes_ = strings != nullptr && strings->value == "off";
    const protocol::Parameter* encoding = wants_->find("client_encoding");
    note_encoding(encoding == nullptr ? ByteView() : ByteView(encoding->value));
    creates_temporary_ = has_temporary_schema(wants_->find("search_path"));
    if (!statements_.translates()) return;
    settings_ = 0;
    for (const protocol::Parameter& wanted : wants_->all()) {
        if (!sql::is_decisive(wanted.name)) continue;
        settings_ = context_.statements.then(context_.statements.then(settings_, wanted.name), wanted.value);
        if (!wanted.encoding.empty()) settings_ = context_.statements.then(settings_, wanted.encoding);
    }
    // It hides tables of the same name, and it is this client's alone.
    if (pins_.has(protocol::Pin::temporary_table)) settings_ = context_.statements.unshared();
}

// At once for its own transaction, and when that ends for everybody else. Temporary tables, which come and go often,
// are their owner's alone, and its statements are unshared already.
void Session::note_schema_change(ByteView tag) {
    if (tag == "CREATE TABLE" && effect_ >= SessionEffect::local) return;
    if (tag == "DROP TABLE" && pins_.has(protocol::Pin::temporary_table)) return;
    pool_->share().schema_changes().note();
    changed_schema_ = true;
}

void Session::note_reported(const wire::ParameterStatus& setting) {
    // Nothing that is unanswered has set it in words. What may have been parsed since was taken for a text of the
    // settings before, and must not be lent to those who have them.
    if (parsed_unseen_ && !steps_unsettled_ && sql::is_decisive(setting.name)) server_->need_reset();
    if (!steps_taken_) {
        settle_environment();
        // By a function, say: what it has set the end of the transaction may take back.
        steps_taken_ = server_->exchange().owes() || server_->exchange().status() != wire::TransactionStatus::idle;
        return;
    }
    settings_ = context_.statements.then(context_.statements.then(settings_, setting.name), setting.value);
    if (setting.name == "client_encoding") note_encoding(setting.value);
    if (setting.name == standard_conforming_strings) escapes_ = setting.value == "off";
}

// What has been set in the transaction may be taken back by this, and nobody knows before it has been answered.
void Session::note_transaction_end(ByteView text) {
    if (steps_taken_ && sql::may_end_transaction(text)) steps_unsettled_ = true;
}

// The parser reads a backslash as the standard does. To a server that reads it otherwise, or takes it for a part of a
// character, the text may be another one.
bool Session::may_be_another_text(ByteView text) const {
    const bool is_read_otherwise = escapes_ || encoding_hides_ascii_ || steps_unsettled_;
    if (!is_read_otherwise && !may_be_set_unseen()) return false;
    if (text.find('\\') == ByteView::npos) return false;
    // Perhaps, where it may have been set unseen: of a text without a word that has an effect there is no such reading.
    return is_read_otherwise || sql::may_have_effect(text);
}

SessionEffect Session::effect_of(ByteView text, SessionEffect judged) const {
    // Names of ours are for us to prepare.
    if (judged != SessionEffect::none && lower_case(text).find(protocol::reserved_prefix) != std::string::npos)
        judged = std::max(judged, SessionEffect::anything);
    // Where the search_path leads to the temporary schema, any CREATE may go there.
    if (creates_temporary_) judged = std::max(judged, SessionEffect::changes);
    // What EXECUTE runs stands in a text of before, and its own one need not hold a word that has an effect.
    if (may_have_sql_names() && sql::may_execute(text)) judged = std::max(judged, SessionEffect::anything);
    return may_be_another_text(text) ? std::max(judged, SessionEffect::anything) : judged;
}

}  // namespace pgsluice::session
