// What a server sends: every message is settled in the ledger, which says whether it is for the client.
#include <pgsluice/base/time_slice.hpp>
#include <pgsluice/protocol/command_tag.hpp>
#include <pgsluice/session/session.hpp>
#include <pgsluice/wire/backend_messages.hpp>

#include <algorithm>

namespace pgsluice::session {

using metrics::Disconnect;
using protocol::Settled;
using wire::BackendTag;
using wire::TransactionStatus;

namespace {

// Messages that are looked into are held whole, up to this size; a longer one is passed on unread.
constexpr std::size_t look_into_limit = 256 * 1024;

// A message up to this size is passed on when it is whole, so that one which the server never finishes leaves the
// client's stream intact for the error that follows. A longer one streams, and breaks off with its server.
constexpr std::size_t whole_limit = 8192;

bool is_looked_into(BackendTag tag) {
    switch (tag) {
        case BackendTag::ready_for_query:
        case BackendTag::error_response:
        case BackendTag::notice_response:
        case BackendTag::parameter_status:
        case BackendTag::notification_response:
        case BackendTag::command_complete: return true;
        default: return false;
    }
}

// It has changed where nobody saw it: in a function, by another way to the server. A plan may have outlived what it
// names, which is told by elog() and so in English.
bool tells_of_changed_schema(const wire::ErrorFields& fields) {
    return fields.routine == "RevalidateCachedQuery" ||
           (fields.sqlstate == "XX000" && fields.message.starts_with("cache lookup failed for "));
}

bool is_description(BackendTag tag) {
    return tag == BackendTag::parameter_description || tag == BackendTag::row_description || tag == BackendTag::no_data;
}

bool is_asynchronous(BackendTag tag) {
    return tag == BackendTag::notice_response || tag == BackendTag::notification_response ||
           tag == BackendTag::parameter_status;
}

}  // namespace

std::size_t Session::on_server_bytes(pool::Server& server, ByteView bytes) {
    TimeSlice slice(context_.host.read_clock());
    if (phase_ != Phase::ready) return on_applying_bytes(bytes);
    wire::Outbox to_client(context_.to_client);
    std::size_t taken = 0;
    while (taken < bytes.size()) {
        const ByteView rest = without_prefix(bytes, taken);
        std::size_t relayed = relay_unseen(rest, to_client);
        if (relayed == 0) {
            if (slice.is_over([this] { return context_.host.read_clock(); })) {
                server.link().yield();
                break;
            }
            relayed = relay(rest, to_client);
        }
        if (relayed == 0) break;
        if (measures() && server_ != nullptr && server_->exchange().first_call() != 0)
            measured_->calls.count_bytes(relayed);
        taken += relayed;
    }
    server_unread_ = taken < bytes.size();
    metrics_.bytes[metrics::Direction::server_in].add(taken);
    if (!to_client.empty()) {
        const std::size_t size = to_client.view().size();
        totals_.bytes_out += size;
        metrics_.bytes[metrics::Direction::client_out].add(size);
        client_->write(to_client.view());
        if (client_->congested()) server.link().pause(Pause::slow_reader);
    }
    if (takes_another_) {
        take_another_server();
        return bytes.size();
    }
    if (out_of_step_) {
        // What it said before that is the client's still.
        lose_sync();
        return bytes.size();
    }
    if (refuse_transaction_) {
        refuse_transaction();
        return taken;
    }
    if (holding_ && server_->exchange().invented() == 0) go_on_if_held();
    seek_proof();
    if (can_check_in())
        give_back_server();
    else if (draining_ && is_at_rest())
        end(Disconnect::shutdown);
    return taken;
}

// What costs nothing but its bytes: the rest of a message, and a run of results.
std::size_t Session::relay_unseen(ByteView rest, wire::Outbox& to_client) {
    return server_rest_.is_due() ? server_rest_.take(rest, to_client) : relay_results(rest, to_client);
}

// One message. Returns how much was taken from the front; none where more bytes are needed.
std::size_t Session::relay(ByteView rest, wire::Outbox& to_client) {
    const wire::Frame frame = wire::cut_backend(rest);
    if (frame.cut == wire::Cut::need_more) return 0;
    if (frame.cut != wire::Cut::frame) {
        out_of_step_ = true;
        return 0;
    }
    const auto tag = static_cast<BackendTag>(frame.tag);
    if (inspecting_ && !is_asynchronous(tag)) {
        if (frame.size > look_into_limit) return skip_long_answer(frame, rest);
        if (rest.size() < frame.size) return 0;
        return hear_inspection(tag, prefix(rest, frame.size), wire::body_of(rest, frame), to_client) ? frame.size : 0;
    }
    if (is_looked_into(tag) && frame.size <= look_into_limit) {
        if (rest.size() < frame.size) return 0;
        return relay_whole(frame, rest, to_client) ? frame.size : 0;
    }
    if (const protocol::Owed* described = is_description(tag) ? server_->exchange().described() : nullptr) {
        if (rest.size() < frame.size && frame.size <= look_into_limit) return 0;
        const bool is_here = frame.size <= rest.size();
        statements_.learn(*described, tag, is_here ? std::optional(wire::body_of(rest, frame)) : std::nullopt,
                          *server_);
    }
    // What it sets must be known to be taken back.
    out_of_step_ |= tag == BackendTag::parameter_status;
    if (out_of_step_) return 0;
    if (rest.size() < frame.size && frame.size <= whole_limit) return 0;
    const bool is_counted = measures() && !is_asynchronous(tag) && counts_result();
    const bool is_kept = !is_counted || keeps_result(tag, frame.size);
    const auto excess = is_kept || tag != BackendTag::portal_suspended ? std::nullopt : error_of_answered();
    const Settled settled = is_asynchronous(tag) ? Settled::forward : server_->exchange().settle(tag, {}, *this);
    const std::size_t part = std::min(frame.size, rest.size());
    // Nobody looks into an error as long as this one, so what becomes of the client's transaction cannot be told.
    out_of_step_ |= settled == Settled::not_opened;
    if (out_of_step_) return 0;
    const Settled fate = is_kept || settled != Settled::forward ? settled : Settled::swallow;
    if (!obey(fate, prefix(rest, part), to_client)) return 0;
    if (excess) fail_behind(*excess, false);
    server_rest_.expect(frame.size - part, fate == Settled::forward ? Rest::Goes::onward : Rest::Goes::nowhere);
    if (server_->exchange().has_invented_turn()) server_->exchange().settle_invented(to_client.join(), *this);
    return part;
}

// Most of what servers send, and little in the ledger changes with it. What is counted comes one by one.
std::size_t Session::relay_results(ByteView rest, wire::Outbox& to_client) {
    if (inspecting_) return 0;
    protocol::Exchange& exchange = server_->exchange();
    const bool begins = !exchange.passes_results() && !measures();
    std::size_t run = begins ? exchange.settle_acknowledgements(rest, *this) : 0;
    if (exchange.passes_results() && !(measures() && counts_result()))
        run += wire::run_of_results(without_prefix(rest, run));
    to_client.add(prefix(rest, run));
    if (run > 0 && exchange.has_invented_turn()) exchange.settle_invented(to_client.join(), *this);
    return run;
}

// False: nothing of this server can be trusted any more.
bool Session::relay_whole(const wire::Frame& frame, ByteView rest, wire::Outbox& to_client) {
    const ByteView message = prefix(rest, frame.size);
    const ByteView body = wire::body_of(rest, frame);
    const auto tag = static_cast<BackendTag>(frame.tag);
    protocol::Exchange& exchange = server_->exchange();
    switch (tag) {
        case BackendTag::parameter_status: return relay_parameter(message, body, to_client);
        case BackendTag::notification_response:
            out_of_step_ = !wire::is_notification(body);
            if (!out_of_step_) to_client.add(message);
            return !out_of_step_;
        case BackendTag::notice_response: relay_notice(message, body, to_client); return true;
        case BackendTag::error_response:
            if (!relay_error(message, body, to_client)) return false;
            break;
        case BackendTag::command_complete:
            if (measures() && exchange.first_call() != 0) measured_->calls.count(protocol::rows_of(body));
            if (!relay_completion(message, body, to_client)) return false;
            note_command(body);
            break;
        default: {
            const auto excess = measures() ? error_of_answered() : std::nullopt;
            const Settled settled = exchange.settle(tag, body, *this);
            if (excess && settled == Settled::forward && exchange.status() == TransactionStatus::in_transaction) {
                fail_behind(*excess, true);
                break;
            }
            if (excess && settled == Settled::forward) tell_of_excess(*excess, to_client);
            if (settled == Settled::forward && opens_forbidden_transaction()) {
                refuse_transaction_ = true;
                return true;
            }
            if (settled == Settled::forward && begin_.is_lost()) {
                fail_begin(to_client);
                break;
            }
            if (!obey(settled, message, to_client)) return false;
            if (settled == Settled::forward) on_ready(exchange.status());
            if (awaits_replay_ && !exchange.owes()) {
                servers_tried_ = 0;
                server_->accepted().accept_proposed();
                go_on_settled();
            }
            if (settled == Settled::swallow) pass_on_cancels();
        }
    }
    if (exchange.has_invented_turn()) exchange.settle_invented(to_client.join(), *this);
    return true;
}

// False: as above.
bool Session::relay_completion(ByteView message, ByteView body, wire::Outbox& to_client) {
    protocol::Exchange& exchange = server_->exchange();
    const auto excess = measures() ? error_of_answered() : std::nullopt;
    const bool is_query = exchange.first_asked() == protocol::Asked::query;
    const Settled settled = exchange.settle(BackendTag::command_complete, body, *this);
    if (!excess || settled != Settled::forward) return obey(settled, message, to_client);
    if (!is_query) fail_behind(*excess, false);
    return true;
}

bool Session::obey(Settled settled, ByteView message, wire::Outbox& to_client) {
    switch (settled) {
        case Settled::forward:
        case Settled::not_opened: to_client.add(message); return true;
        case Settled::swallow:
        case Settled::inspected: return true;
        case Settled::substitute:
            wire::write_error(to_client.join(), server_->exchange().substituted_error());
            return true;
        case Settled::replay_failed:
        case Settled::not_taken_back:
        case Settled::lost_sync: out_of_step_ = true; return false;
    }
    return false;
}

bool Session::relay_error(ByteView message, ByteView body, wire::Outbox& to_client) {
    wire::ErrorFields fields;
    if (!wire::read_error(body, fields)) {
        out_of_step_ = true;
        return false;
    }
    if (fields.severity == "FATAL" || fields.severity == "PANIC") {
        // Its last words, which answer nothing. The end of the connection follows.
        if (is_at_rest() && !pool_->target().in_session_mode() && !keeps_to_the_end_ && !pins_.any()) {
            // They are about the server alone: this client is done with it.
            server_->doom(metrics::ServerClose::server_shutdown);
            return true;
        }
        server_said_farewell_ = true;
        server_->doom(metrics::ServerClose::server_shutdown);
        context_.metrics.errors.count(metrics::ErrorOrigin::server, fields.sqlstate);
        to_client.add(message);
        return true;
    }
    const std::string name(server_->exchange().named_first());
    const auto of_limit = measures()
                              ? measured_->limits.error_of_failed(server_->exchange().running_call(), fields.sqlstate)
                              : std::nullopt;
    if (measures() && server_->exchange().first_call() != 0) measured_->calls.fail(fields.sqlstate);
    if (rules_.may_limit() && measures()) measured_->calls.names().note_failure(fields.sqlstate);
    const Settled settled = server_->exchange().settle(BackendTag::error_response, body, *this);
    if (settled == Settled::inspected) return true;
    // A timeout that was there already has struck it, say.
    const bool may_succeed_elsewhere = fields.sqlstate == "57014" || protocol::depend_on_server(*wants_);
    const bool is_about_others =
        settled == Settled::not_taken_back || (settled == Settled::replay_failed && may_succeed_elsewhere);
    if (is_about_others && may_take_another()) {
        takes_another_ = true;
        return false;
    }
    if (settled == Settled::replay_failed || settled == Settled::not_taken_back) {
        refusal_ = std::make_unique<wire::SqlError>(
            wire::fatal("08006", "could not restore the session's settings on another server connection",
                        "The server says: " + std::string(fields.message)));
        return obey(settled, message, to_client);
    }
    if (settled == Settled::not_opened) {
        if (begin_.was_sent_failed()) return try_begin_again();
        lose_begin();
    }
    if ((settled == Settled::forward || settled == Settled::not_opened) && of_limit) {
        tell_of_excess(*of_limit, to_client);
        return true;
    }
    const bool is_ours = settled == Settled::substitute;
    context_.metrics.errors.count(is_ours ? metrics::ErrorOrigin::pgsluice : metrics::ErrorOrigin::server,
                                  is_ours ? server_->exchange().substituted_error().code() : fields.sqlstate);
    if (settled == Settled::forward && relay_in_clients_words(fields, name, body, to_client)) return true;
    if (tells_of_changed_schema(fields)) pool_->share().schema_changes().note();
    return obey(settled, message, to_client);
}

void Session::relay_notice(ByteView message, ByteView body, wire::Outbox& to_client) {
    // A server that dies with another one says so in a warning and ends the connection.
    wire::ErrorFields fields;
    const bool is_farewell = wire::read_error(body, fields) && fields.sqlstate.starts_with("57P0");
    server_said_farewell_ |= is_farewell;
    // What is told of a text that is parsed again was told when the client parsed it.
    if (is_farewell || !server_->exchange().is_answering_us()) to_client.add(message);
}

bool Session::relay_parameter(ByteView message, ByteView body, wire::Outbox& to_client) {
    const bool is_replay = server_->exchange().is_replaying();
    // What it sets itself is found when the server is asked, and is put on and off with its other settings.
    const bool is_clients_own = preserves_state() && (is_replay || effect_ >= sql::SessionEffect::changes);
    const auto had = server_->has();
    const auto report = pool_->hear_report(*server_, body, is_clients_own ? pool::SetBy::client : pool::SetBy::server);
    if (!report) {
        out_of_step_ = true;
        return false;
    }
    const wire::ParameterStatus& setting = report->setting;
    if (!is_replay) to_client.add(message);
    if (!report->is_carried) return true;
    if (is_replay || !is_clients_own) note_unasked(setting, is_replay);
    if (is_replay || wants_ == nullptr) return true;
    const auto before = wants_;
    wants_ = wants_ == had ? server_->has() : context_.parameters.with(wants_, setting.name, setting.value, true);
    if (wants_ == before) return true;
    if (setting.name == "application_name")
        context_.host.refresh(*this, rulebook_);
    else
        note_reported(setting);
    return true;
}

void Session::on_ready(TransactionStatus status) {
    protocol::Exchange& exchange = server_->exchange();
    go_on_if_held();
    if (!exchange.has_reports_due()) parsed_unseen_ = false;
    const TimePoint now = context_.host.now();
    active_at_ = now;
    if (measures()) {
        measured_->calls.note_turn(now);
        if (!exchange.owes()) measured_->calls.names().settle(status != TransactionStatus::idle);
    }
    if (asked_at_ != never) {
        const auto lasted = std::chrono::duration_cast<Microseconds>(now - asked_at_);
        metrics_.query_seconds.observe(lasted);
        totals_.query_time += lasted;
        asked_at_ = exchange.owes() ? now : never;
    }
    if (status == TransactionStatus::idle) {
        note_transaction(now);
        busy_since_ = exchange.owes() ? now : never;
    }
    if (changed_schema_ && status == TransactionStatus::idle) {
        changed_schema_ = false;
        pool_->share().schema_changes().note();
    }
    // One that is noted and held is a step that has not been sent yet.
    if (!dialect_.has_stepped() || exchange.owes() || front_.is_noted()) return;
    dialect_.note_answered();
    if (status == TransactionStatus::idle && !is_changed()) adopt_dialect();
}

void Session::note_transaction(TimePoint now) {
    if (busy_since_ == never) return;
    ++totals_.transactions;
    metrics_.transactions.add();
    const auto lasted = std::chrono::duration_cast<Microseconds>(now - busy_since_);
    metrics_.transaction_seconds.observe(lasted);
    totals_.transaction_time += lasted;
}

// Statement mode gives the server back after every statement: there is nowhere to go on with a transaction.
bool Session::opens_forbidden_transaction() const {
    return pool_->target().settings.mode == config::PoolMode::statement &&
           server_->exchange().status() != TransactionStatus::idle;
}

// The client is told instead of its ReadyForQuery, and the server rolls back.
void Session::refuse_transaction() {
    refuse_transaction_ = false;
    auto error = wire::error("0A000", "transaction blocks are not allowed in statement pooling mode");
    if (!server_->exchange().at_rest() || client_rest_.is_due()) {
        error.severity = wire::Severity::fatal;
        end(Disconnect::failed, &error);
        return;
    }
    busy_since_ = never;
    asked_at_ = never;
    // A rollback does not undo all of it: locks of the session stay.
    if (is_changed() || pins_.any()) leave_reset();
    if (may_have_made_names()) server_->doom(metrics::ServerClose::custom_settings);
    watch_.reset();
    forget_effect();
    set_pins({});
    adopt_dialect();
    if (server_unread_)
        pool_->discard(part_from_server(), metrics::ServerClose::unclean);
    else
        pool_->recover(part_from_server(), 0);
    Bytes told;
    wire::write_error(told, error);
    wire::write_ready_for_query(told, TransactionStatus::idle);
    client_->write(told);
    context_.metrics.errors.count(metrics::ErrorOrigin::pgsluice, error.code());
    go_on_if_held();
    if (draining_) end(Disconnect::shutdown);
}

void Session::go_on_if_held() {
    if (!std::exchange(holding_, false)) return;
    client_->resume(Pause::held);
    client_->resume(Pause::ahead);
}

void Session::note_command(ByteView body) {
    const ByteView tag = protocol::command_tag(body);
    switch (protocol::aftermath_of(tag)) {
        case protocol::Aftermath::none: return;
        case protocol::Aftermath::deallocated:
            // What connect_query made there is gone with it: it is to be run again.
            if (!pool_->target().connect_query.empty()) server_->need_reset();
            if (measures()) measured_->calls.names().note_statements_gone();
            return statements_.forget_all(*server_);
        case protocol::Aftermath::schema_changed: return note_schema_change(tag);
    }
}

}  // namespace pgsluice::session
