#include <pgsluice/protocol/sync_proof.hpp>
#include <pgsluice/session/session.hpp>
#include <pgsluice/wire/backend_messages.hpp>

#include <utility>

namespace pgsluice::session {

using metrics::ClientState;
using metrics::Disconnect;
using wire::TransactionStatus;

namespace {

// Replies that wait: of ours behind one of the server's, which nobody has to be sent anything for; and of all kinds.
constexpr std::size_t most_invented = 4096;
constexpr std::size_t most_owed = 16384;
// What one client has sent is looked at for so long before others have their turn, by a clock that is read now and
// then.
constexpr Milliseconds longest_turn{1};
constexpr std::size_t clock_every = 4096;  // bytes
// What its messages make of them for a server, before that takes some.
constexpr std::size_t most_ahead = 256 * 1024;

}  // namespace

Session::Session(Context& context, Setup setup)
    : context_(context),
      client_(std::move(setup.client)),
      pool_(setup.pool),
      metrics_(*setup.metrics),
      identity_(std::move(setup.identity)),
      prelude_(std::move(setup.prelude)),
      // From the login on: names given before a reload must mean the same behind it.
      statements_(context.statements,
                  !pool_->target().in_session_mode() && pool_->target().settings.max_prepared_statements > 0),
      dialect_(context.statements, statements_.translates()),
      rulebook_(context.host.rulebook()),
      started_at_(context.host.now()),
      active_at_(started_at_) {
    metrics_.clients[state_].add();
}

Session::~Session() {
    PGSLUICE_CHECK(server_ == nullptr && !waiting_);
}

void Session::enter(ClientState state) {
    metrics_.clients[state_].sub();
    state_ = state;
    metrics_.clients[state_].add();
}

ByteView Session::application_name() const {
    const protocol::Parameter* name = wants_ == nullptr ? nullptr : wants_->find("application_name");
    return name == nullptr ? ByteView() : ByteView(name->value);
}

void Session::set_limits(std::shared_ptr<const Rulebook> rulebook, const config::ClientTimeouts& timeouts,
                         policy::Rules rules) {
    rules_have_changed_ |= phase_ == Phase::ready && !(rules_ == rules);
    rulebook_ = std::move(rulebook);
    timeouts_ = timeouts;
    if (pool_->target().is_replication()) {
        // What is streamed for days is no statement that takes too long.
        timeouts_.query = Milliseconds{0};
        timeouts_.transaction = Milliseconds{0};
    }
    rules_ = std::move(rules);
    measure(rulebook_->measures_calls || rules_.may_limit());
}

// --- The client's bytes ----------------------------------------------------------------------------------------------

std::size_t Session::on_bytes(ByteView bytes) {
    if (phase_ != Phase::ready) return 0;
    active_at_ = context_.host.read_clock();
    if (busy_since_ == never) adopt_rulebook();
    wire::Outbox to_server(context_.to_server);
    Bytes& to_client = context_.to_client;
    to_client.clear();
    const bool has_awaited_replay = std::exchange(awaits_replay_, false);
    if (server_ != nullptr && !lease_begun_) begin_lease(to_server);

    std::size_t taken = 0;
    std::size_t look_at_clock = clock_every;
    looked_at_ = 0;
    while (taken < bytes.size() && phase_ == Phase::ready && !awaits_replay_) {
        if (const std::size_t done = taken + looked_at_; done >= look_at_clock) {
            look_at_clock = done + clock_every;
            const bool is_over = context_.host.read_clock() - active_at_ >= longest_turn;
            if (is_over || context_.to_server.size() > most_ahead) {
                client_->yield();
                break;
            }
        }
        const ByteView rest = without_prefix(bytes, taken);
        if (client_rest_.is_due()) {
            taken += client_rest_.take(rest, to_server);
            continue;
        }
        if (rest[0] != 'Q') {
            const std::size_t ended = admit_end_of_batch(rest, to_server);
            taken += ended;
            if (ended > 0) continue;
        }
        const wire::Frame frame = wire::cut_frontend(rest);
        if (frame.cut == wire::Cut::need_more) break;
        if (frame.cut != wire::Cut::frame && hold_until_answered(to_server)) break;
        if (frame.cut == wire::Cut::unknown_type) {
            const auto type = std::to_string(static_cast<unsigned char>(frame.tag));
            const auto error = wire::fatal("08P01", "invalid frontend message type " + type);
            send(to_server, to_client);
            end(Disconnect::protocol_violation, &error);
            return bytes.size();
        }
        if (frame.cut == wire::Cut::invalid_length) {
            const auto error = wire::fatal("08P01", "invalid message length");
            send(to_server, to_client);
            end(Disconnect::protocol_violation, &error);
            return bytes.size();
        }
        if (has_too_many_replies_waiting(to_server)) break;
        const std::size_t admitted = admit(frame, rest, to_server, to_client);
        if (admitted == 0) break;
        // One that is held comes again, and must not be counted twice; whatever comes behind it is judged by itself.
        front_.forget();
        taken += admitted;
    }
    if (phase_ == Phase::ended) return bytes.size();
    totals_.bytes_in += taken;
    metrics_.bytes[metrics::Direction::client_in].add(taken);

    send(to_server, to_client);
    if (has_awaited_replay) pass_on_cancels();
    if (owes_sync_) answer_lost_query();
    if (can_check_in())
        give_back_server();
    else if (draining_ && server_ == nullptr && is_at_rest())
        end(Disconnect::shutdown);
    return taken;
}

// What has been admitted is in the ledger, so it must be sent before anything else happens, the end of the session
// included.
void Session::send(wire::Outbox& to_server, Bytes& to_client) {
    if (server_ != nullptr) {
        if (!to_server.empty()) {
            metrics_.bytes[metrics::Direction::server_out].add(to_server.view().size());
            server_->link().write(to_server.view());
            if (server_->link().congested()) client_->pause(Pause::slow_reader);
        }
        server_->exchange().settle_invented(to_client, *this);
    }
    if (to_client.empty()) return;
    totals_.bytes_out += to_client.size();
    metrics_.bytes[metrics::Direction::client_out].add(to_client.size());
    client_->write(to_client);
    // Answers of ours stop nobody by themselves. PostgreSQL, too, reads nothing while it cannot write.
    if (client_->congested()) client_->pause(Pause::unread);
}

void Session::on_drained() {
    client_->resume(Pause::unread);
    if (server_ != nullptr) server_->link().resume(Pause::slow_reader);
}

void Session::on_closed(Closed) {
    context_.host.read_clock();
    end(Disconnect::client_lost);
}

void Session::on_server_drained(pool::Server&) {
    client_->resume(Pause::slow_reader);
    // It may have answered, with an error, before all was sent.
    if (can_check_in())
        give_back_server();
    else if (draining_ && is_at_rest())
        end(Disconnect::shutdown);
}

// Rules and limits stay what they are to the end of a transaction.
void Session::adopt_rulebook() {
    if (rulebook_ != context_.host.rulebook()) context_.host.refresh(*this, context_.host.rulebook());
}

// PostgreSQL reads a message when it has done and answered what was asked before. True: the message in front, to which
// that makes a difference, waits for it. Not inside COPY FROM STDIN, which it fails.
bool Session::hold_until_answered(wire::Outbox& to_server, Pause how) {
    if (server_ == nullptr) return false;
    protocol::Exchange& exchange = server_->exchange();
    // No server would answer for these, so nothing would end the wait.
    exchange.settle_invented(context_.to_client, *this);
    if (!exchange.owes() || exchange.ignores_sync()) return false;
    hold_for_answers(to_server, how);
    return true;
}

// A server that no ReadyForQuery is due from may keep its answers until it is asked for them.
void Session::hold_for_answers(wire::Outbox& to_server, Pause how) {
    protocol::Exchange& exchange = server_->exchange();
    if (!exchange.owes_ready() && !exchange.is_flushed()) {
        wire::write_empty(to_server.join(), wire::FrontendTag::flush);
        exchange.note_flush();
    }
    hold_until_settled(how);
}

// The ledger grows with what a client sends ahead of its answers, so it is not heard until some have gone.
bool Session::has_too_many_replies_waiting(wire::Outbox& to_server) {
    if (server_ == nullptr) return false;
    protocol::Exchange& exchange = server_->exchange();
    // Of every message there is: invented() <= owed(), and most_invented < most_owed, so neither is reached yet.
    if (exchange.owed() < most_invented) return false;
    const auto is_bearable = [&] { return exchange.invented() < most_invented && exchange.owed() < most_owed; };
    if (is_bearable()) return false;
    exchange.settle_invented(context_.to_client, *this);
    if (is_bearable()) return false;
    hold_for_answers(to_server, Pause::ahead);
    return true;
}

// After a COPY that failed: what may still come must come before the server meets another client.
void Session::seek_proof() {
    if (server_ == nullptr || !server_->exchange().needs_proof() || client_rest_.is_due()) return;
    Bytes asked;
    append_sync_proof(asked, server_->exchange());
    metrics_.bytes[metrics::Direction::server_out].add(asked.size());
    server_->link().write(asked);
}

// --- Servers ---------------------------------------------------------------------------------------------------------

// False: the client waits, and is not read from until a server is there.
bool Session::take_server() {
    if (busy_since_ == never) busy_since_ = active_at_;
    server_ = pool_->acquire(*this, *this);
    if (server_ != nullptr) {
        enter(ClientState::active);
        ++totals_.assignments;
        metrics_.wait_seconds.observe(Microseconds::zero());
        return true;
    }
    // Whoever has a turn has a server, so that none waits for the other.
    front_.give_turn_back();
    waiting_ = true;
    told_about_wait_ = false;
    enter(ClientState::waiting);
    client_->pause(Pause::no_server);
    return false;
}

void Session::on_granted(pool::Server& server) {
    server_ = &server;
    waiting_ = false;
    lease_begun_ = false;
    enter(ClientState::active);
    const auto waited = std::chrono::duration_cast<Microseconds>(context_.host.now() - waiting_since());
    metrics_.wait_seconds.observe(waited);
    ++totals_.assignments;
    totals_.wait_time += waited;
    if (phase_ == Phase::starting)
        context_.host.defer(*this);
    else
        client_->resume(Pause::no_server);
}

void Session::on_refused(const wire::SqlError& why) {
    waiting_ = false;
    enter(ClientState::idle);
    if (phase_ == Phase::starting || why.severity == wire::Severity::fatal) {
        auto error = why;
        error.severity = wire::Severity::fatal;
        end(Disconnect::failed, &error);
        return;
    }
    refusal_ = std::make_unique<wire::SqlError>(why);
    client_->resume(Pause::no_server);
}

void Session::stop_waiting() {
    if (!waiting_) return;
    pool_->withdraw(*this);
    waiting_ = false;
    enter(ClientState::idle);
}

void Session::begin_lease(wire::Outbox& to_server) {
    lease_begun_ = true;
    server_said_farewell_ = false;
    unseen_ = checks_at_release();
    if (client_->congested()) server_->link().pause(Pause::slow_reader);
    if (server_->has() == wants_ || pool_->target().in_session_mode()) return;
    follow_defaults();
    restore_settings(to_server);
}

// The invariant of the whole proxy: a server goes back only when the reply settled last is a ReadyForQuery 'I' that
// answers the last message admitted, nothing of a message is half sent or half read, nothing of what it has sent is
// left, and nothing keeps it.
bool Session::can_check_in() const {
    return server_ != nullptr && phase_ == Phase::ready && lease_begun_ && !pool_->target().in_session_mode() &&
           !keeps_to_the_end_ && !awaits_replay_ && !keeps_server() && is_server_clean();
}

// What of that is not about its client.
bool Session::is_server_clean() const {
    return server_->exchange().at_rest() && server_->exchange().status() == TransactionStatus::idle &&
           !client_rest_.is_due() && !server_rest_.is_due() && !server_unread_ && !server_->link().congested();
}

pool::Server& Session::part_from_server() {
    statements_.part_from_server();
    pool::Server& server = *std::exchange(server_, nullptr);
    lease_begun_ = false;
    server_unread_ = false;
    forgetting_ = Forgetting::nothing;  // all of it has been answered
    if (measures()) measured_->limits.end_cancel();
    enter(ClientState::idle);
    server.link().resume(Pause::slow_reader);
    // What the server has not taken yet is the pool's, and so is the news that it has.
    client_->resume(Pause::slow_reader);
    return server;
}

// Or asks it first what its client has made of it. A cancel request that is on its way would strike the question: then
// it stays with its client, and sweep() comes back.
void Session::give_back_server() {
    if (is_changed()) {
        if (!server_->is_being_cancelled())
            inspect();
        else if (draining_)
            end(Disconnect::shutdown);
        return;
    }
    if (pins_.any()) forget_pins();
    pool_->check_in(part_from_server());
    if (draining_ && is_at_rest()) end(Disconnect::shutdown);
}

// What another client has set there stays, and this one is not to find it.
bool Session::may_take_another() const {
    const bool has_sent_nothing = phase_ == Phase::applying || awaits_replay_;
    return has_sent_nothing && !keeps_to_the_end_ && !pins_.any() && servers_tried_ < most_servers_tried;
}

// Nothing of the client's has been sent to that one, so its message waits for the next.
void Session::take_another_server() {
    takes_another_ = awaits_replay_ = false;
    ++servers_tried_;
    go_on_settled();
    pool_->discard(part_from_server(), metrics::ServerClose::unclean);
}

void Session::on_server_lost(pool::Server&) {
    context_.host.read_clock();
    pool::Server& server = *std::exchange(server_, nullptr);
    pool_->discard(server, metrics::ServerClose::lost);
    if (server_said_farewell_) {
        end(Disconnect::server_lost);
        return;
    }
    const auto error = wire::fatal("08006", "server closed the connection unexpectedly",
                                   "The server " + server.facts().label +
                                       " ended the connection without a message while this client was using it.");
    end(Disconnect::server_lost, &error);
}

void Session::lose_sync() {
    pool::Server& server = *std::exchange(server_, nullptr);
    pool_->discard(server, metrics::ServerClose::unclean);
    const auto refusal = std::move(refusal_);
    const auto error = wire::fatal("08006", "lost synchronization with the server",
                                   "The server sent a message that answers nothing it was asked.");
    end(Disconnect::server_lost, refusal != nullptr ? refusal.get() : &error);
}

// --- The end ---------------------------------------------------------------------------------------------------------

void Session::end(Disconnect reason, const wire::SqlError* fatal) {
    if (phase_ == Phase::ended) return;
    const Phase before = std::exchange(phase_, Phase::ended);
    const auto shutdown = wire::fatal("57P01", "terminating connection due to administrator command");
    if (fatal == nullptr && reason == Disconnect::shutdown) fatal = &shutdown;
    stop_waiting();
    // Inside a message that is half sent, the bytes of another would be read as its rest.
    if (fatal != nullptr && !server_rest_.is_half_sent()) {
        Bytes last;
        wire::write_error(last, *fatal);
        client_->write(last);
        context_.metrics.errors.count(metrics::ErrorOrigin::pgsluice, fatal->code());
    }
    client_->close();
    report_the_rest();
    if (server_ != nullptr) leave_server(before);
    set_pins({});
    metrics_.clients[state_].sub();
    metrics_.disconnects[reason].add();
    metrics_.session_seconds.observe(std::chrono::duration_cast<Microseconds>(context_.host.now() - started_at_));
    context_.host.on_ended(*this, reason, fatal);
}

// Whatever the client left behind is cleared away by the pool, unless the server has half a message.
void Session::leave_server(Phase before) {
    const bool is_clean = is_server_clean();
    pool::Server& server = *std::exchange(server_, nullptr);
    server.link().resume(Pause::slow_reader);
    if (server_unread_ && server.exchange().at_rest()) {
        // It answers nothing, and its rest may never come.
        pool_->discard(server, metrics::ServerClose::unclean);
        return;
    }
    if (before == Phase::starting) {
        pool_->check_in(server);
        return;
    }
    const bool is_lost = leaves_for_good() || may_have_made_names() || settles_too_long(context_.host.now());
    if (is_changed() || inspecting_ || pins_.any()) server.need_reset();
    if (pool_->target().is_replication()) {
        pool_->discard(server, metrics::ServerClose::replication);
        return;
    }
    if (before == Phase::applying || client_rest_.is_half_sent() || keeps_to_the_end_ || is_lost ||
        server_said_farewell_) {
        if (server.exchange().owes()) context_.host.forward_cancel(*pool_, server, nullptr);
        pool_->discard(server, metrics::ServerClose::unclean);
        return;
    }
    if (is_clean || !lease_begun_) {
        pool_->check_in(server);
        return;
    }
    // Otherwise the query would run on for nobody.
    if (server.exchange().owes() && !inspecting_) context_.host.forward_cancel(*pool_, server, nullptr);
    pool_->recover(server, server_rest_.bytes());
}

void Session::drain() {
    draining_ = true;
    // A stream of changes has no end of its own to wait for; who reads it connects again and goes on where it was.
    if (is_at_rest() || pool_->target().is_replication()) end(Disconnect::shutdown);
}

// No transaction is open and nothing is owed, whether or not a server is kept.
bool Session::is_at_rest() const {
    if (begin_.is_open()) return false;
    return server_ == nullptr ||
           (server_->exchange().at_rest() && server_->exchange().status() == TransactionStatus::idle);
}

}  // namespace pgsluice::session
