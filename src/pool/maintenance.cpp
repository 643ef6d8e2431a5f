// What a pool says to its servers itself, between two clients: the check after a long idle time, the reset of a
// session, the end of a transaction that a client left open. And what idle servers say unasked.
#include <pgsluice/pool/pool.hpp>
#include <pgsluice/wire/backend_messages.hpp>
#include <pgsluice/wire/frame.hpp>
#include <pgsluice/wire/frontend_messages.hpp>

namespace pgsluice::pool {

using metrics::ServerClose;
using metrics::ServerState;
using protocol::Asked;
using protocol::Fate;
using protocol::Settled;
using wire::BackendTag;

namespace {

// Nothing that a pool sends prepares or closes a statement.
struct NoStatements final : protocol::Exchange::Witness {
    void on_parsed(const protocol::Owed&) override {}
    void on_closed(const protocol::Owed&) override {}
    void on_dropped(const protocol::Owed&) override {}
};

constexpr ByteView discard_all = "DISCARD ALL";

// Replies to our own statements are short; whatever is longer is no reply to them.
constexpr std::size_t reply_limit = 64 * 1024;

}  // namespace

void Pool::maintain(Server& server, ServerState state, ByteView sql) {
    enter(server, state);
    server.maintenance_failed_ = false;
    Bytes query;
    wire::write_query(query, sql);
    server.exchange().owe({Asked::query, Fate::swallow});
    server.link().write(query);
}

void Pool::reset(Server& server) {
    maintain(server, ServerState::resetting, discard_all);
}

void Pool::roll_back(Server& server) {
    server.reset_next_ = target_->in_session_mode();
    maintain(server, ServerState::resetting, "ROLLBACK");
}

std::size_t Pool::on_server_bytes(Server& server, ByteView bytes) {
    if (server.state_ == ServerState::checking || server.state_ == ServerState::resetting) {
        return on_maintenance_bytes(server, bytes);
    }
    return on_idle_bytes(server, bytes);
}

std::size_t Pool::on_maintenance_bytes(Server& server, ByteView bytes) {
    std::size_t consumed = 0;
    while (true) {
        const ByteView rest = bytes.substr(consumed);
        const wire::Frame frame = wire::cut_backend(rest);
        if (frame.cut == wire::Cut::need_more) return consumed;
        if (frame.cut != wire::Cut::frame || frame.size > reply_limit) break;
        if (rest.size() < frame.size) return consumed;
        consumed += frame.size;
        const ByteView body = wire::body_of(rest, frame);
        const auto tag = static_cast<BackendTag>(frame.tag);
        if (tag == BackendTag::notice_response || tag == BackendTag::notification_response) continue;
        if (tag == BackendTag::parameter_status) {
            note_report(server, body);
            continue;
        }
        NoStatements nobody;
        const Settled settled = server.exchange().settle(tag, body, nobody);
        if (settled == Settled::lost_sync) break;
        if (tag == BackendTag::error_response) server.maintenance_failed_ = true;
        if (tag == BackendTag::ready_for_query) {
            finish_maintenance(server);
            return bytes.size();
        }
    }
    discard(server, ServerClose::lost);
    return bytes.size();
}

void Pool::finish_maintenance(Server& server) {
    const bool was_reset = server.state_ == ServerState::resetting;
    const bool is_clean = !server.maintenance_failed_ && server.exchange().status() == wire::TransactionStatus::idle;
    if (!is_clean) {
        discard(server, was_reset ? ServerClose::reset_failed : ServerClose::check_failed);
        return;
    }
    if (std::exchange(server.reset_next_, false)) {
        maintain(server, ServerState::resetting, discard_all);
        return;
    }
    if (was_reset && target_->in_session_mode()) server.forget_statements();
    enter(server, ServerState::active);
    server.user_ = this;
    release(server);
}

void Pool::note_report(Server& server, ByteView body) {
    const auto status = wire::read_parameter_status(body);
    if (!status) return;
    note_parameter(server, status->name, status->value);
    if (protocol::is_carried(status->name)) {
        server.set_has(host_.parameters().with(server.has(), status->name, status->value, true));
    }
}

// An idle server may report a setting that a reload of its configuration changed, or a notice. An error is its
// farewell; anything else answers a question that nobody asked, and such a server must not meet another client.
std::size_t Pool::on_idle_bytes(Server& server, ByteView bytes) {
    std::size_t consumed = 0;
    while (true) {
        const ByteView rest = bytes.substr(consumed);
        const wire::Frame frame = wire::cut_backend(rest);
        if (frame.cut == wire::Cut::need_more) return consumed;
        const auto tag = static_cast<BackendTag>(frame.tag);
        const bool is_harmless = tag == BackendTag::notice_response || tag == BackendTag::parameter_status ||
                                 tag == BackendTag::notification_response;
        if (frame.cut != wire::Cut::frame || !is_harmless || frame.size > reply_limit) break;
        if (rest.size() < frame.size) return consumed;
        consumed += frame.size;
        if (tag == BackendTag::parameter_status) note_report(server, wire::body_of(rest, frame));
    }
    discard(server, ServerClose::lost);
    return bytes.size();
}

}  // namespace pgsluice::pool
