// What a server has by itself can change while it is open: it reads its configuration again. Then those who have not
// set it otherwise have the new value, as on a connection of their own, and so have those who log in next.
#include <pgsluice/session/session.hpp>
#include <pgsluice/wire/backend_messages.hpp>

#include <algorithm>

namespace pgsluice::session {

using protocol::Parameter;

// A report that nothing seen explains. A function of the client's may have set it all the same, so the server is asked
// before anybody else has it.
void Session::note_unasked(const wire::ParameterStatus& report, bool is_replay) {
    if (!preserves_state() || wants_ == nullptr || report.name == "application_name") return;
    if (has_unasked()) {
        const auto noted = std::find_if(watch_->unasked.begin(), watch_->unasked.end(),
                                        [&](const wire::Setting& each) { return each.first == report.name; });
        if (noted != watch_->unasked.end()) {
            // It is over, as behind SET LOCAL.
            if (noted->second == report.value) watch_->unasked.erase(noted);
            return;
        }
    }
    const Parameter* before = wants_->find(report.name);
    if (before == nullptr || before->overrides || before->value == report.value) return;
    if (is_replay) {
        // On its way to what is wanted the replay may pass through the default of the login.
        const Parameter* at_login = server_->facts().baseline->find(report.name);
        if (at_login != nullptr && at_login->value == report.value) return;
    }
    if (watch_ == nullptr) watch_ = std::make_unique<Watch>();
    watch_->unasked.emplace_back(report.name, before->value);
}

// What nobody has set in the session the server has by itself.
void Session::note_new_defaults(const std::vector<wire::Setting>& unasked, const protocol::Answer& answer) {
    for (const auto& [name, before] : unasked) {
        const Parameter* now = server_->has()->find(name);
        if (answer.find(name) != nullptr || now == nullptr || now->value == before) continue;
        if (!protocol::is_ascii(now->value)) continue;
        pool_->share().login_answers().note_default(server_->facts().fingerprint, name, before, now->value);
        if (asked_->find(name) == nullptr) startup_ = context_.parameters.with(startup_, name, now->value, true);
    }
}

// Other clients' servers have told what is new since the client was here last.
void Session::follow_defaults() {
    const pool::LoginAnswers& answers = pool_->share().login_answers();
    const std::uint64_t noted = answers.defaults_noted();
    if (noted == defaults_seen_) return;
    const auto before = wants_;
    for (const auto& [name, value] : answers.defaults_since(std::exchange(defaults_seen_, noted))) {
        const Parameter* at_login = startup_->find(name);
        const Parameter* wanted = wants_->find(name);
        if (at_login == nullptr || wanted == nullptr || asked_->find(name) != nullptr) continue;
        const bool is_default = !wanted->overrides && protocol::same_value(*wanted, *at_login);
        startup_ = context_.parameters.with(startup_, name, value, true);
        if (!is_default || wanted->value == value) continue;
        wants_ = context_.parameters.with(wants_, name, value, true);
        wire::write_parameter_status(context_.to_client, name, value);
    }
    if (wants_ == before) return;
    adopt_dialect();
    context_.host.refresh(*this, rulebook_);
}

}  // namespace pgsluice::session
