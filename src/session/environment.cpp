// What the client's texts mean and do, where that depends on what its session has become.
#include <pgsluice/base/lower_case.hpp>
#include <pgsluice/session/session.hpp>

namespace pgsluice::session {

using sql::SessionEffect;

protocol::Environment Session::environment() const {
    return {dialect_.digest_of_parsed(), pool_->share().schema_changes().count()};
}

// Everything that it has sent has been answered, and what it wants is what it has.
void Session::adopt_dialect() {
    dialect_.adopt(*wants_, pins_.has(protocol::Pin::temporary_table), path_of_route());
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
    if (parsed_unseen_ && !dialect_.is_uncertain() && sql::is_decisive(setting.name)) server_->need_reset();
    if (dialect_.has_stepped()) {
        dialect_.note_reported(setting);
        return;
    }
    adopt_dialect();
    // By a function, say: what it has set the end of the transaction may take back.
    const protocol::Exchange& exchange = server_->exchange();
    if (exchange.owes() || exchange.status() != wire::TransactionStatus::idle) dialect_.note_steps_ahead();
}

// What has been set in the transaction may be taken back by this, and nobody knows before it has been answered.
void Session::note_transaction_end(ByteView text) {
    if (dialect_.has_stepped() && sql::may_end_transaction(text)) dialect_.note_transaction_end();
}

// The parser reads a backslash as the standard does. To a server that reads it otherwise, or takes it for a part of a
// character, the text may be another one.
bool Session::may_be_another_text(ByteView text) const {
    const bool is_read_otherwise = dialect_.is_out_of_standard();
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
    if (dialect_.creates_temporary()) judged = std::max(judged, SessionEffect::changes);
    // What EXECUTE runs stands in a text of before, and its own one need not hold a word that has an effect.
    if (may_have_sql_names() && sql::may_execute(text)) judged = std::max(judged, SessionEffect::anything);
    return may_be_another_text(text) ? std::max(judged, SessionEffect::anything) : judged;
}

}  // namespace pgsluice::session
