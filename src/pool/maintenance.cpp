// What a pool says to its servers itself, between two clients: the check after a long idle time, the reset of a
// session, the end of a transaction that a client left open. And what idle servers say unasked.
#include <pgsluice/base/time_slice.hpp>
#include <pgsluice/pool/pool.hpp>
#include <pgsluice/pool/role.hpp>
#include <pgsluice/protocol/asking.hpp>
#include <pgsluice/protocol/command_tag.hpp>
#include <pgsluice/protocol/settings_replay.hpp>
#include <pgsluice/protocol/sync_proof.hpp>
#include <pgsluice/wire/backend_messages.hpp>
#include <pgsluice/wire/frame.hpp>
#include <pgsluice/wire/frontend_messages.hpp>
#include <pgsluice/wire/writer.hpp>

#include <algorithm>

namespace pgsluice::pool {

using metrics::ServerClose;
using metrics::ServerState;
using protocol::Asked;
using protocol::Fate;
using protocol::Settled;
using wire::BackendTag;
using wire::FrontendTag;

namespace {

constexpr ByteView discard_all = "DISCARD ALL";
constexpr ByteView batch_without_end =
    "pgsluice: the client has left without the Sync of its batch";  // no SQL, so it fails

// A reload of its configuration changes each setting once. Nothing of an idle server is left for later, when it may be
// somebody's.
constexpr std::size_t most_changes_at_rest = 100;

// How long a check or a reset may take, which run nothing of a client's.
constexpr Milliseconds maintenance_limit{5000};
constexpr Milliseconds cancel_interval{1000};

bool is_looked_into(BackendTag tag) {
    return tag == BackendTag::ready_for_query || tag == BackendTag::parameter_status ||
           tag == BackendTag::command_complete;
}

struct ServerWitness final : protocol::Exchange::Witness {
    explicit ServerWitness(Server& server) : server_(server) {}
    void on_parsed(const protocol::Owed& owed) override { server_.note_done(owed); }
    void on_closed(const protocol::Owed& owed) override { server_.note_done(owed); }
    void on_deallocated(const protocol::Owed&) override {}
    void on_answered(std::uint32_t) override {}
    void on_dropped(const protocol::Owed& owed, bool) override { server_.note_dropped(owed); }

  private:
    Server& server_;
};

void send_query(Server& server, ByteView sql) {
    Bytes query;
    protocol::Asking(query, server.exchange(), Fate::swallow).query(sql);
    server.link().write(query);
}

}  // namespace

void Pool::maintain(Server& server, ServerState state, ByteView sql) {
    enter(server, state);
    server.maintenance_failed_ = false;
    server.cleanup_ = Server::Cleanup::none;
    server.unnamed().reset();  // a simple query destroys it
    send_query(server, sql);
}

void Pool::reset(Server& server) {
    maintain(server, ServerState::resetting, discard_all);
    server.cleanup_ = Server::Cleanup::reset;
    // What it has set is undone by the reset.
    if (!target_->connect_query.empty()) send_query(server, target_->connect_query);
}

void Pool::roll_back(Server& server) {
    maintain(server, ServerState::resetting, "ROLLBACK");
    server.cleanup_ = Server::Cleanup::roll_back;
}

// Set by a client, and nobody else's connection is to end by it.
bool Pool::ends_when_idle(const Server& server) {
    if (!server.has()->ends_idle_sessions()) return false;
    const protocol::Parameter* at_login = server.facts().baseline->find(protocol::idle_session_timeout);
    return at_login == nullptr || at_login->value != server.has()->find(protocol::idle_session_timeout)->value;
}

// By itself, as a DISCARD ALL would take what is prepared there too. Its client has it set again on its next server.
void Pool::unset_idle_timeout(Server& server) {
    const protocol::ParameterSetRef without =
        host_.parameters().with_that_of(*server.facts().baseline, server.has(), protocol::idle_session_timeout);
    enter(server, ServerState::resetting);
    server.maintenance_failed_ = false;
    server.cleanup_ = Server::Cleanup::unset;
    Bytes messages;
    append_replay(messages, server.exchange(), server.reserved(), {*server.has(), *without});
    server.set_has(without);
    server.link().write(messages);
}

void Pool::recover(Server& server, std::size_t rest) {
    enter(server, ServerState::resetting);
    server.maintenance_failed_ = false;
    server.cleanup_ = Server::Cleanup::drain;
    server.cancel_again_at_ = host_.now() + cancel_interval;
    server.skip_ = rest;
    protocol::Exchange& exchange = server.exchange();
    exchange.abandon();
    end_batch(server);
    // What its last user has left unread of the last read comes to us.
    server.link().yield();
    if (exchange.at_rest() && rest == 0) finish_maintenance(server);
}

void Pool::sweep_maintenance(Server& server, TimePoint now) {
    const bool is_left = server.cleanup_ == Server::Cleanup::drain || server.cleanup_ == Server::Cleanup::roll_back;
    const Milliseconds limit = is_left ? target_->abandoned : maintenance_limit;
    const bool is_over = limit.count() != 0 && now - server.since_ >= limit;
    if (server.state_ == ServerState::checking) {
        if (is_over) discard(server, ServerClose::check_failed);
    } else if (server.state_ == ServerState::resetting) {
        // A cancel that outruns the query that it means strikes nothing, and the server tells nobody.
        if (server.cleanup_ == Server::Cleanup::drain && (is_over || now >= server.cancel_again_at_)) {
            server.cancel_again_at_ = now + cancel_interval;
            host_.repeat_cancel(*this, server);
        }
        if (is_over) discard(server, ServerClose::reset_failed);
    }
}

// Whatever a client was about to send. Of a batch without its Sync a server that loses its client commits nothing,
// while a Sync of ours would commit what has run: so it fails first, in words for those who read the server's log.
void Pool::end_batch(Server& server) {
    protocol::Exchange& exchange = server.exchange();
    Bytes last;
    protocol::Asking asking(last, exchange, Fate::swallow);
    if (exchange.ignores_sync()) {
        wire::Writer(last).begin(FrontendTag::copy_fail).string("client left").end();
        exchange.owe({Asked::copy_end, Fate::swallow});
    } else if (exchange.needs_sync() && !exchange.skipping()) {
        server.unnamed().reset();
        asking.parse("", batch_without_end);
    }
    if (exchange.needs_sync()) asking.sync();
    if (exchange.needs_proof()) append_sync_proof(last, exchange);
    if (!last.empty()) server.link().write(last);
}

std::size_t Pool::on_server_bytes(Server& server, ByteView bytes) {
    host_.read_clock();
    if (server.state_ == ServerState::checking || server.state_ == ServerState::resetting) {
        return on_maintenance_bytes(server, bytes);
    }
    return on_idle_bytes(server, bytes);
}

std::size_t Pool::on_maintenance_bytes(Server& server, ByteView bytes) {
    std::size_t consumed = 0;
    ServerWitness witness(server);
    TimeSlice slice(host_.now());
    while (true) {
        const ByteView rest = bytes.substr(consumed);
        if (server.skip_ > 0) {
            const std::size_t part = std::min(server.skip_, rest.size());
            server.skip_ -= part;
            consumed += part;
            if (server.skip_ > 0) return consumed;
            if (server.cleanup_ == Server::Cleanup::drain && server.exchange().at_rest()) {
                finish_maintenance(server);
                return consumed;
            }
            continue;
        }
        if (slice.is_over([this] { return host_.read_clock(); })) {
            server.link().yield();
            return consumed;
        }
        const wire::Frame frame = wire::cut_backend(rest);
        if (frame.cut == wire::Cut::need_more) return consumed;
        if (frame.cut != wire::Cut::frame) break;
        const auto tag = static_cast<BackendTag>(frame.tag);
        ByteView body;
        if (is_looked_into(tag)) {
            if (frame.size > longest_reply) break;
            if (rest.size() < frame.size) return consumed;
            body = wire::body_of(rest, frame);
        }
        server.skip_ = frame.size;
        if (tag == BackendTag::notice_response || tag == BackendTag::notification_response) continue;
        if (tag == BackendTag::parameter_status) {
            if (!hear_report(server, body, SetBy::server)) break;
            continue;
        }
        const Settled settled = server.exchange().settle(tag, body, witness);
        if (settled == Settled::lost_sync) break;
        if (tag == BackendTag::command_complete) note_command(server, body);
        const bool is_error = tag == BackendTag::error_response;
        // What a client left behind may fail as it likes; what we ask for, and its settings, may not.
        const bool fails_ours = settled == Settled::replay_failed || settled == Settled::not_taken_back;
        if (is_error && (server.cleanup_ != Server::Cleanup::drain || fails_ours)) {
            server.maintenance_failed_ = true;
        }
        // A COPY that the client began has started to read behind its back, or has failed; or an error has come of
        // which only now is known that no Sync of the client's stands behind it.
        const protocol::Exchange& exchange = server.exchange();
        if (exchange.ignores_sync() || exchange.needs_proof() || exchange.skipping()) end_batch(server);
        if (tag == BackendTag::ready_for_query && server.exchange().at_rest()) {
            // Half a message behind it would leave the next client in the middle of one.
            if (consumed + frame.size < bytes.size()) break;
            server.skip_ = 0;
            finish_maintenance(server);
            return bytes.size();
        }
        // The cancel has struck what has ended, and the next statement of the pipeline has begun. The sweep cancels
        // what still runs then: a short one has ended by itself, and each cancel costs PostgreSQL a process.
        if (tag == BackendTag::ready_for_query) server.cancel_again_at_ = host_.now();
    }
    discard(server, ServerClose::lost);
    return bytes.size();
}

void Pool::finish_maintenance(Server& server) {
    const bool is_idle = server.exchange().status() == wire::TransactionStatus::idle;
    const bool was_check = server.state_ == ServerState::checking;
    if (server.maintenance_failed_) {
        discard(server, was_check ? ServerClose::check_failed : ServerClose::reset_failed);
        return;
    }
    const auto cleanup = std::exchange(server.cleanup_, Server::Cleanup::none);
    if (!is_idle) {
        if (cleanup == Server::Cleanup::drain)
            roll_back(server);
        else
            discard(server, was_check ? ServerClose::check_failed : ServerClose::reset_failed);
        return;
    }
    if (cleanup == Server::Cleanup::reset) {
        server.forget_statements();
        server.needs_reset_ = server.has_lent_names_ = false;
        // Reported settings have been told; the others are as they were behind the login.
        server.set_has(host_.parameters().merged(*server.has(), *server.facts().baseline));
    }
    enter(server, ServerState::active);
    server.user_ = this;
    // A client's server still has that client's session to be reset; the others are clean.
    const bool is_clients = cleanup == Server::Cleanup::drain || cleanup == Server::Cleanup::roll_back;
    if (is_clients || server.is_being_cancelled())
        check_in(server);
    else
        release(server);
}

// What a client has sent is done though it has gone.
void Pool::note_command(Server& server, ByteView body) {
    switch (protocol::aftermath_of(protocol::command_tag(body))) {
        case protocol::Aftermath::none: return;
        case protocol::Aftermath::deallocated: return server.forget_statements();
        case protocol::Aftermath::schema_changed: return share_->schema_changes().note();
    }
}

std::optional<Pool::Report> Pool::hear_report(Server& server, ByteView body, SetBy set_by) {
    const auto setting = wire::read_parameter_status(body);
    if (!setting) return std::nullopt;
    const auto& [name, value] = *setting;
    note_role(server, *setting, set_by);
    if (name == standby_setting) note_standby(server, value);
    if (!carries(server, name)) return Report{*setting, false};
    const protocol::Parameter* before = server.has()->find(name);
    const std::size_t bytes_before = before == nullptr || !before->reported ? 0 : before->value.size();
    if (server.has()->reported_bytes() - bytes_before + value.size() > protocol::most_reported) return std::nullopt;
    if (before != nullptr && tells_default(server, *before, value))
        share_->login_answers().note_default(server.facts().fingerprint, name, before->value, value);
    server.set_has(host_.parameters().with(server.has(), name, value, true));
    return Report{*setting, true};
}

// One that no longer has the role asked for is doomed. What a client sets for itself says nothing of the server.
void Pool::note_role(Server& server, const wire::ParameterStatus& setting, SetBy set_by) {
    if (setting.name == read_only_setting && set_by == SetBy::client) return;
    // One that was taken for want of a better one (prefer-standby) has not changed.
    const bool had_another = server.role_.is_other_than(target_->session_attrs);
    if (server.role_.note(setting.name, setting.value) && !had_another &&
        server.role_.is_other_than(target_->session_attrs))
        server.doom(ServerClose::wrong_role);
}

// The one setting that nobody carries and that changes by itself, when the server is promoted.
void Pool::note_standby(Server& server, ByteView value) {
    for (auto& [name, told] : server.facts_.reported) {
        if (name != standby_setting || told == value) continue;
        share_->login_answers().note_standby(server.facts().fingerprint, told, value);
        told = value;
    }
}

// Whether nothing of a client's can have made the report: then the server has read its configuration again. DISCARD ALL
// reports what clients have set, too, and leads back to the default of the login where that is still the same.
bool Pool::tells_default(const Server& server, const protocol::Parameter& before, ByteView value) const {
    if (before.overrides || !protocol::is_ascii(value)) return false;
    if (server.state_ == ServerState::idle || server.state_ == ServerState::checking) return true;
    if (server.cleanup_ != Server::Cleanup::reset || !target_->connect_query.empty()) return false;
    const protocol::Parameter* at_login = server.facts().baseline->find(before.name);
    return at_login != nullptr && at_login->value != value;
}

// An idle server may report a setting that a reload of its configuration changed, or a notice. An error is its
// farewell; anything else answers a question that nobody asked, and such a server must not meet another client.
std::size_t Pool::on_idle_bytes(Server& server, ByteView bytes) {
    std::size_t consumed = 0;
    std::size_t changes = 0;
    while (true) {
        const ByteView rest = bytes.substr(consumed);
        const wire::Frame frame = wire::cut_backend(rest);
        if (frame.cut == wire::Cut::need_more) return consumed;
        const auto tag = static_cast<BackendTag>(frame.tag);
        const bool is_harmless = tag == BackendTag::notice_response || tag == BackendTag::parameter_status ||
                                 tag == BackendTag::notification_response;
        if (frame.cut != wire::Cut::frame || !is_harmless || frame.size > longest_reply) break;
        if (rest.size() < frame.size) return consumed;
        consumed += frame.size;
        if (tag != BackendTag::parameter_status) continue;
        const auto before = server.has();
        if (!hear_report(server, wire::body_of(rest, frame), SetBy::server)) break;
        if (server.has() != before && ++changes > most_changes_at_rest) break;
    }
    discard(server, ServerClose::lost);
    return bytes.size();
}

}  // namespace pgsluice::pool
