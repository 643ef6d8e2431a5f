// The end of a login: the client's startup parameters are checked by a server, unless servers of this pool have
// accepted each of them before, and the client gets its ParameterStatus, BackendKeyData and first ReadyForQuery.
#include <pgsluice/base/time_slice.hpp>
#include <pgsluice/protocol/settings_replay.hpp>
#include <pgsluice/session/session.hpp>
#include <pgsluice/wire/backend_messages.hpp>

#include <algorithm>

namespace pgsluice::session {

using metrics::ClientState;
using metrics::Disconnect;
using wire::BackendTag;

namespace {

// PostgreSQL takes what a startup packet holds as it is, whatever the client_encoding in it.
void set(protocol::ParameterList& parameters, ByteView name, ByteView value, bool reported, ByteView server_encoding) {
    protocol::Parameter* found = parameters.find(name);
    if (found == nullptr) found = &parameters.add({std::string(name), {}, reported});
    found->value = value;
    found->encoding = server_encoding;
}

// What servers have by themselves since, or had later: everybody is told the same.
void take_newer(std::vector<protocol::Parameter>& parameters, const protocol::ParameterSet& newer) {
    for (protocol::Parameter& each : parameters) {
        const protocol::Parameter* found = each.reported ? newer.find(each.name) : nullptr;
        if (found != nullptr) each = *found;
    }
}

protocol::ParameterSetRef names_of(const std::vector<wire::Setting>& settings, protocol::ParameterTable& table) {
    protocol::ParameterList names;
    for (const auto& [name, value] : settings) set(names, name, {}, false, {});
    return table.intern(std::move(names).take());
}

ByteView encoding_of_server(const std::vector<wire::Setting>& reported) {
    const auto found = std::find_if(reported.begin(), reported.end(),
                                    [](const wire::Setting& each) { return each.first == "server_encoding"; });
    return found == reported.end() ? ByteView() : ByteView(found->second);
}

}  // namespace

void Session::start() {
    context_.host.refresh(*this, context_.host.rulebook());
    greet_if_known();
    if (phase_ == Phase::starting) seek_server_to_apply();
}

void Session::seek_server_to_apply() {
    server_ = pool_->acquire(*this, *this);
    if (server_ != nullptr) {
        enter(ClientState::active);
        context_.host.defer(*this);
    } else {
        waiting_ = true;
        enter(ClientState::waiting);
    }
}

void Session::on_turn() {
    context_.host.read_clock();
    if (phase_ != Phase::starting || server_ == nullptr) return;
    if (pool_->target().in_session_mode()) {
        wants_ = server_->has();
        // The client's connection is as good as direct, so it sees the server's own process id.
        identity_.cancel_process_id = server_->facts().process_id;
        identity_.has_servers_process_id = true;
        greet(server_->facts().reported);
        return;
    }
    apply_startup();
}

// Every startup parameter has been accepted before in this pool: no server is needed.
void Session::greet_if_known() {
    if (pool_->target().in_session_mode()) return;
    const pool::LoginAnswers& answers = pool_->share().login_answers();
    if (answers.is_doubtful() && !pool_->is_paused()) return;
    defaults_seen_ = answers.defaults_noted();
    const std::uint64_t fingerprint = pool_->target().fingerprint;
    const auto greeting = answers.greeting(fingerprint);
    if (greeting == nullptr) return;
    protocol::ParameterList parameters(greeting->baseline->all());
    for (const wire::Setting& setting : identity_.startup) {
        const auto known = answers.find(fingerprint, setting);
        if (!known) return;
        set(parameters, setting.first, known->value, known->reported, encoding_of_server(greeting->reported));
    }
    wants_ = context_.parameters.intern(std::move(parameters).take());
    greet(greeting->reported);
}

void Session::apply_startup() {
    const pool::Server::Facts& facts = server_->facts();
    const pool::LoginAnswers& answers = pool_->share().login_answers();
    std::vector<protocol::Parameter> at_login = facts.baseline->all();
    defaults_seen_ = answers.defaults_noted();
    if (const auto greeting = answers.greeting(facts.fingerprint)) take_newer(at_login, *greeting->baseline);
    protocol::ParameterList parameters(std::move(at_login));
    for (const auto& [name, value] : identity_.startup) {
        const protocol::Parameter* by_itself = facts.baseline->find(name);
        const bool reported = by_itself != nullptr && by_itself->reported;
        const auto known = answers.find(facts.fingerprint, {name, value});
        set(parameters, name, known ? known->value : value, reported, encoding_of_server(facts.reported));
    }
    wants_ = context_.parameters.intern(std::move(parameters).take());
    Bytes messages;
    const protocol::SettingsDifference difference(*server_->has(), *wants_);
    append_replay(messages, server_->exchange(), server_->reserved(), difference);
    server_->accepted().propose(difference);
    phase_ = Phase::applying;
    if (messages.empty()) {
        finish_applying();
    } else {
        settle_first();
        server_->link().write(messages);
    }
}

std::size_t Session::on_applying_bytes(ByteView bytes) {
    std::size_t taken = 0;
    server_unread_ = true;
    TimeSlice slice(context_.host.now());
    while (phase_ == Phase::applying) {
        if (slice.is_over([this] { return context_.host.read_clock(); })) {
            server_->link().yield();
            return taken;
        }
        const ByteView rest = bytes.substr(taken);
        const wire::Frame frame = wire::cut_backend(rest);
        if (frame.cut == wire::Cut::need_more) return taken;
        if (frame.cut != wire::Cut::frame || frame.size > pool::longest_reply) {
            lose_sync();
            return bytes.size();
        }
        if (rest.size() < frame.size) return taken;
        taken += frame.size;
        server_unread_ = taken < bytes.size();
        const ByteView body = wire::body_of(rest, frame);
        const auto tag = static_cast<BackendTag>(frame.tag);
        if (tag == BackendTag::notice_response || tag == BackendTag::notification_response) continue;
        if (tag == BackendTag::parameter_status) {
            const auto report = pool_->hear_report(*server_, body, pool::SetBy::client);
            if (!report) {
                lose_sync();
                return bytes.size();
            }
            if (report->is_carried && !asks_for(report->setting.name)) note_unasked(report->setting, true);
            continue;
        }
        if (tag == BackendTag::error_response) {
            const auto settled = server_->exchange().settle(tag, body, *this);
            const bool is_about_others =
                settled == protocol::Settled::not_taken_back || protocol::depend_on_server(*wants_);
            if (is_about_others && may_take_another())
                apply_elsewhere();
            else
                refuse_startup(body);
            return taken;
        }
        if (server_->exchange().settle(tag, body, *this) != protocol::Settled::swallow) {
            lose_sync();
            return bytes.size();
        }
        if (tag == BackendTag::ready_for_query && !server_->exchange().owes()) finish_applying();
    }
    return taken;
}

bool Session::asks_for(ByteView name) const {
    return std::any_of(identity_.startup.begin(), identity_.startup.end(),
                       [&](const wire::Setting& each) { return protocol::same_name(each.first, name); });
}

// That server does not let go of what another client has set.
void Session::apply_elsewhere() {
    ++servers_tried_;
    go_on_settled();
    phase_ = Phase::starting;
    pool_->discard(part_from_server(), metrics::ServerClose::unclean);
    seek_server_to_apply();
}

// A parameter that the server does not accept ends the login with the server's own words, as it does without a proxy.
void Session::refuse_startup(ByteView body) {
    wire::ErrorFields fields;
    wire::SqlError error = wire::fatal("08006", "the server ended the connection");
    if (wire::read_error(body, fields)) {
        error.message = fields.message;
        error.detail = fields.detail;
        error.hint = fields.hint;
        if (fields.sqlstate.size() == 5)
            std::copy(fields.sqlstate.begin(), fields.sqlstate.end(), error.sqlstate.begin());
    }
    pool::Server& server = *std::exchange(server_, nullptr);
    if (fields.sqlstate == "26000" || fields.sqlstate == "42P05") {
        // Not about a setting: somebody has tampered with our statements on that server.
        error = wire::fatal("08006", "could not apply the startup parameters on a server connection",
                            "The server says: " + std::string(fields.message));
        pool_->discard(server, metrics::ServerClose::unclean);
    } else {
        // The server has undone the batch as a whole, so it is what it was before.
        pool_->recover(server, 0);
    }
    end(Disconnect::failed, &error);
}

// The server has the settings; how it spells them is known now.
void Session::finish_applying() {
    server_->accepted().accept_proposed();
    go_on_settled();
    protocol::ParameterSetRef has = context_.parameters.merged(*server_->has(), *wants_);
    const pool::Server::Facts& facts = server_->facts();
    pool::LoginAnswers& answers = pool_->share().login_answers();
    for (const wire::Setting& setting : identity_.startup) {
        const auto* now = has->find(setting.first);
        // What is reported and not ASCII is in the encoding of this client.
        const bool is_anyones = now != nullptr && (!now->reported || protocol::is_ascii(now->value));
        if (is_anyones) answers.accept(facts.fingerprint, setting, {now->value, now->reported});
    }
    server_->set_has(has);
    wants_ = std::move(has);
    lease_begun_ = true;
    servers_tried_ = 0;
    greet(facts.reported);
    if (phase_ == Phase::ready && can_check_in()) give_back_server();
}

void Session::greet(const std::vector<wire::Setting>& greeting) {
    Bytes hello = std::move(prelude_);
    prelude_ = {};
    for (const auto& [name, value] : greeting) {
        const protocol::Parameter* carried = wants_->find(name);
        wire::write_parameter_status(hello, name, carried == nullptr ? ByteView(value) : ByteView(carried->value));
    }
    wire::write_backend_key_data(hello, identity_.cancel_process_id, identity_.cancel_secret);
    wire::write_ready_for_query(hello, wire::TransactionStatus::idle);
    asked_ = names_of(identity_.startup, context_.parameters);
    identity_.startup = {};
    startup_ = wants_;
    adopt_dialect();
    phase_ = Phase::ready;
    lease_begun_ = server_ != nullptr;
    active_at_ = context_.host.now();
    context_.host.on_logged_in(*this);
    context_.host.refresh(*this, context_.host.rulebook());
    totals_.bytes_out += hello.size();
    metrics_.bytes[metrics::Direction::client_out].add(hello.size());
    client_->write(hello);
    client_->resume(Pause::no_server);
    if (!server_unread_ || server_ == nullptr) return;
    // It is the client's now.
    server_->link().yield();
}

}  // namespace pgsluice::session
