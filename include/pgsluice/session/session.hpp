// One client from the end of its authentication to its end: reads its messages, gets it a server when it needs one,
// relays both ways, and gives the server back. Knows no socket: the client is a Peer, the server a pool::Server.
//
// The two functions to read first are on_bytes (from the client) and on_server_bytes.
//
// Worker thread only. Memory counts here: there may be ten thousand of them, most of them idle.
#pragma once

#include <pgsluice/base/address.hpp>
#include <pgsluice/base/ids.hpp>
#include <pgsluice/base/peer.hpp>
#include <pgsluice/policy/engine.hpp>
#include <pgsluice/pool/pool.hpp>
#include <pgsluice/protocol/inspection.hpp>
#include <pgsluice/protocol/unsent_begin.hpp>
#include <pgsluice/session/dialect.hpp>
#include <pgsluice/session/front.hpp>
#include <pgsluice/session/host.hpp>
#include <pgsluice/session/prepared_statements.hpp>
#include <pgsluice/session/rest.hpp>
#include <pgsluice/session/statement_limits.hpp>
#include <pgsluice/sql/session_effect.hpp>
#include <pgsluice/wire/backend_messages.hpp>
#include <pgsluice/wire/frame.hpp>
#include <pgsluice/wire/frontend_messages.hpp>
#include <pgsluice/wire/outbox.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pgsluice::session {

// Who the client is, settled at login.
struct Identity {
    SessionId id{};
    std::string user, database;  // as the client named them
    Address address;
    std::int32_t cancel_process_id = 0;
    bool has_servers_process_id = false;  // session mode: others may know it, and only the secret is one
    Bytes cancel_secret;
    std::vector<wire::Setting> startup;  // emptied when the login is done
};

struct Totals {
    std::uint64_t bytes_in = 0, bytes_out = 0;  // from and to the client
    std::uint64_t transactions = 0, queries = 0;
    std::uint64_t assignments = 0;  // of servers
    std::uint64_t client_parses = 0, server_parses = 0, binds = 0;
    Microseconds transaction_time{0}, query_time{0}, wait_time{0};
};

// An error made for one message, where no policy keeps one.
using OwnError = std::optional<wire::SqlError>;

class Session final : public Sink,
                      public pool::ServerUser,
                      public pool::Waiter,
                      private protocol::Exchange::Witness,
                      private policy::PathSource {
  public:
    struct Setup {
        Identity identity;
        PeerPtr client;
        pool::Pool* pool = nullptr;
        metrics::RouteMetrics* metrics = nullptr;
        Bytes prelude;  // the end of the authentication, sent when the login has succeeded
    };

    Session(Context& context, Setup setup);
    ~Session() override;

    // After AuthenticationOk: gets the client its parameters, key and first ReadyForQuery, from a server where one must
    // be asked. The client's link is to be started with this sink, and paused for Pause::no_server, before.
    void start();
    void on_turn();
    // A CancelRequest with this session's key.
    void cancel(CancelToken token = nullptr);
    // Ends at once where no transaction is open, else as soon as it ends.
    void drain();
    void end(metrics::Disconnect reason, const wire::SqlError* fatal = nullptr);
    void sweep(TimePoint now);
    // Called by Host::refresh. `rules` come from `rulebook`.
    void set_limits(std::shared_ptr<const Rulebook> rulebook, const config::ClientTimeouts& timeouts,
                    policy::Rules rules);

    const Identity& identity() const { return identity_; }
    // The one that its transaction began with.
    const std::shared_ptr<const Rulebook>& rulebook() const { return rulebook_; }
    const Totals& totals() const { return totals_; }
    TimePoint started_at() const { return started_at_; }
    // The client's last bytes, or the last ReadyForQuery.
    TimePoint active_at() const { return active_at_; }
    const pool::Server* server() const { return server_; }  // lent to it, or none
    protocol::Pins pins() const { return pins_; }
    TimePoint busy_since() const { return busy_since_; }  // the first message of its transaction; never: there is none
    TimePoint pinned_since() const { return pinned_since_; }  // while there is any pin
    std::size_t prepared_statements() const { return statements_.size(); }
    metrics::RouteMetrics& metrics() const { return metrics_; }
    pool::Pool& pool() const { return *pool_; }
    Peer& client() const { return *client_; }
    ByteView application_name() const;
    bool is_ready() const { return phase_ == Phase::ready; }
    metrics::ClientState state() const { return state_; }

    // --- The client's bytes.
    std::size_t on_bytes(ByteView bytes) override;
    void on_drained() override;
    void on_closed(Closed how) override;
    // --- The server's.
    std::size_t on_server_bytes(pool::Server& server, ByteView bytes) override;
    void on_server_drained(pool::Server& server) override;
    void on_server_lost(pool::Server& server) override;
    // --- The pool's.
    void on_granted(pool::Server& server) override;
    void on_refused(const wire::SqlError& why) override;
    const protocol::ParameterSet* wanted_settings() const override { return wants_.get(); }

  private:
    enum class Phase : std::uint8_t {
        starting,  // no ReadyForQuery has been sent yet
        applying,  // a server is asked whether it accepts the startup parameters
        ready,
        ended,
    };
    // A statement that may deallocate others has been sent: what uses one has to wait. A portal may run until its
    // transaction ends.
    enum class Forgetting : std::uint8_t { nothing, until_answered, until_idle };

    // client_side.cpp: one message each. They return how many bytes they took from the front; none: come again with
    // more bytes, or when what they wait for has happened.
    bool is_batch_plain() const;
    std::size_t admit_end_of_batch(ByteView rest, wire::Outbox& to_server);
    std::size_t admit(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server, Bytes& to_client);
    std::size_t admit_judged(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server, Bytes& to_client);
    std::size_t admit_to_server(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server);
    std::size_t admit_without_server(const wire::Frame& frame, ByteView rest, Bytes& to_client);
    std::size_t refuse_malformed(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server, Bytes& to_client);
    std::size_t admit_query(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server);
    std::size_t admit_copy_data(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server);
    std::size_t admit_sync(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server);
    std::size_t pass(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server);
    std::size_t drop(const wire::Frame& frame, ByteView rest);
    void send(wire::Outbox& to_server, Bytes& to_client);
    void forget_unnamed();
    bool hold_until_answered(wire::Outbox& to_server, Pause how = Pause::held);
    void hold_for_answers(wire::Outbox& to_server, Pause how);
    bool waits_for_ready(wire::FrontendTag tag, wire::Outbox& to_server);
    bool has_too_many_replies_waiting(wire::Outbox& to_server);
    // lazy_begin.cpp
    bool answer_here(const wire::Frame& frame, ByteView rest, Bytes& to_client);
    bool open_transaction(wire::Outbox& to_server);
    void lose_begin();
    void answer_lost_query();
    bool try_begin_again();
    void send_sync(protocol::Fate fate);
    bool is_query_behind_lost_begin(wire::FrontendTag tag) const;
    void fail_begin(wire::Outbox& to_client);
    // policy_gate.cpp
    const wire::SqlError* judge(const wire::Frame& frame, ByteView rest, OwnError& too_large);
    // A text that rules are asked about.
    struct Judged {
        ByteView text;
        // The server reads it by other settings than those of now, perhaps: it has parsed it before, or will later.
        bool is_parsed_apart = false;
        // The text in front runs it by name. Whose facts and limit count are those of the text in front.
        bool is_lent = false;
        // Of the transaction and the search_path that it will run with nothing is known.
        bool runs_apart = false;
    };
    policy::Verdict verdict_on(Judged judged, std::optional<policy::RuleIndex> behind, const sql::FactsRef*& facts);
    const wire::SqlError* judge_text(Judged judged, std::optional<policy::RuleIndex> behind, policy::Verdict& verdict,
                                     OwnError& own);
    const wire::SqlError* error_of(const policy::Verdict& verdict, ByteView text, OwnError& own);
    const wire::SqlError* rewrite(const wire::Frame& frame, ByteView rest, policy::RuleIndex rule, OwnError& own);
    wire::SqlError not_in_encoding_of(policy::RuleIndex rule) const;
    std::size_t admit_rewritten(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server, Bytes& to_client);
    const wire::SqlError* judge_prepared(Judged judged, OwnError& own);
    const wire::SqlError* judge_again(const protocol::Statement& prepared, OwnError& own);
    bool is_read_as_judged(const protocol::Statement& prepared) const;
    const wire::SqlError* judge_reading(Judged judged, OwnError& own);
    const wire::SqlError* judge_parsed_anew(ByteView name, OwnError& own);
    const wire::SqlError* judge_lent(const std::vector<PreparedStatements::Mentioned>& statements, Judged how,
                                     OwnError& own);
    wire::SqlError unparsable_error(const wire::SqlError& of_rule, const std::string& rule, ByteView text) const;
    void refuse(const wire::Frame& frame, ByteView rest, const wire::SqlError& error, wire::Outbox& to_server,
                Bytes& to_client);
    void refuse_here(const wire::Frame& frame, ByteView rest, const wire::SqlError& error, Bytes& to_client);
    void refuse_in_place(const wire::SqlError& error, bool is_query, wire::Outbox& to_server);
    void refuse_unnamed_parse(const wire::SqlError& error, wire::Outbox& to_server);
    // statements.cpp
    std::size_t admit_parse(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server);
    std::size_t admit_bind(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server);
    std::size_t admit_execute(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server);
    std::size_t admit_describe(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server);
    std::size_t admit_close(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server);
    std::optional<std::size_t> lend_names_to(ByteView text, const wire::Frame& frame, ByteView rest,
                                             wire::Outbox& to_server);
    bool lend_names_to_query(ByteView text, const std::vector<PreparedStatements::Mentioned>& spoken_of,
                             wire::Outbox& to_server, OwnError& refused);
    bool runs_alone(ByteView text);
    void note_effects_of(const std::vector<PreparedStatements::Mentioned>& statements, ByteView text);
    bool waits_for_answers(const PreparedStatements::Admission& admission, wire::Outbox& to_server);
    std::size_t follow(const PreparedStatements::Admission& admission, std::size_t sent, const wire::Frame& frame,
                       ByteView rest, wire::Outbox& to_server);
    PreparedStatements::Lease statement_lease(wire::Outbox& to_server);
    std::size_t hold_until_settled(Pause how = Pause::held);
    bool relay_in_clients_words(const wire::ErrorFields& fields, ByteView parsed, ByteView body,
                                wire::Outbox& to_client);
    // server_side.cpp
    std::size_t relay_unseen(ByteView rest, wire::Outbox& to_client);
    std::size_t relay(ByteView rest, wire::Outbox& to_client);
    std::size_t relay_results(ByteView rest, wire::Outbox& to_client);
    bool relay_completion(ByteView message, ByteView body, wire::Outbox& to_client);
    bool relay_whole(const wire::Frame& frame, ByteView rest, wire::Outbox& to_client);
    bool relay_error(ByteView message, ByteView body, wire::Outbox& to_client);
    void relay_notice(ByteView message, ByteView body, wire::Outbox& to_client);
    bool opens_forbidden_transaction() const;
    void refuse_transaction();
    bool relay_parameter(ByteView message, ByteView body, wire::Outbox& to_client);
    bool obey(protocol::Settled settled, ByteView message, wire::Outbox& to_client);
    void on_ready(wire::TransactionStatus status);
    void go_on_if_held();
    void note_transaction(TimePoint now);
    void note_command(ByteView body);
    bool can_check_in() const;
    bool is_server_clean() const;
    bool is_at_rest() const;
    // environment.cpp
    protocol::Environment environment() const;
    void adopt_dialect();
    void note_schema_change(ByteView tag);
    void note_reported(const wire::ParameterStatus& setting);
    void note_transaction_end(ByteView text);
    sql::SessionEffect effect_of(ByteView text, sql::SessionEffect judged) const;
    bool may_be_another_text(ByteView text) const;
    // facts.cpp
    bool may_be_set_unseen() const;
    const sql::FactsRef* facts_of(ByteView text);
    const sql::FactsRef* facts_of(ByteView text, bool may_be_read_otherwise);
    const sql::FactsRef* facts_either_way(ByteView text);
    bool is_in_encoding_of_rules(ByteView text) const;
    const sql::FactsRef* facts_for_rules(ByteView text, bool may_be_read_otherwise);
    std::optional<bool> in_transaction();
    void note_transaction_control(const sql::FactsRef* facts);
    std::optional<ByteView> search_path() const override;  // policy::PathSource
    ByteView path_of_route() const;                        // without data where the route sets none
    // measuring.cpp
    bool measures() const { return measured_ != nullptr; }
    void measure(bool on);
    Callee callee_of(ByteView text, std::shared_ptr<const policy::Limit> limit);
    std::uint32_t begin_call(Callee callee);
    std::uint32_t begin_query(ByteView text);
    void note_bound(const wire::Bind& bind);
    void report_the_rest();
    // limits.cpp
    void note_limit(const policy::Verdict& verdict);
    bool waits_to_know_names(wire::Outbox& to_server);
    static wire::SqlError error_of_unknown(ByteView portal);
    std::size_t pass_limited(const wire::Frame& frame, ByteView rest, wire::Outbox& to_server);
    void keep_to_limits(TimePoint now);
    void obey_limits(const StatementLimits::Order& order, std::uint32_t call);
    bool holds_for_cancel(wire::FrontendTag tag) const;
    bool counts_result() const;
    bool keeps_result(wire::BackendTag tag, std::uint64_t size);
    std::optional<wire::SqlError> error_of_answered() const;
    void tell_of_excess(const wire::SqlError& error, wire::Outbox& to_client);
    void fail_behind(const wire::SqlError& error, bool is_query);
    // turns.cpp
    enum class Entry : std::uint8_t { granted, held, refused };
    Entry take_turn(const policy::Limit& limit, const sql::Facts* facts, wire::Outbox& to_server, OwnError& refused);
    Entry take_turn_of_query(ByteView text, wire::Outbox& to_server, OwnError& refused);
    std::string key_of(const policy::Limit& limit, const sql::Facts* facts) const;
    void tell_of_refusal(const Callee& callee);
    // session_state.cpp
    bool preserves_state() const;
    const wire::SqlError* judge_effect(const wire::Frame& frame, ByteView rest, OwnError& refused);
    bool may_pin() const;
    bool rejects_pins() const;
    std::optional<wire::SqlError> refuse_pin(sql::SessionEffect effect) const;
    void note_effect(sql::SessionEffect effect, ByteView text);
    void note_effect(sql::SessionEffect effect, ByteView text, sql::SettingNames names);
    void note_effect_of_bound(ByteView text, sql::SessionEffect judged, ByteView values, bool is_whole);
    void note_function_call(ByteView body, bool is_whole);
    bool is_changed() const { return effect_ != sql::SessionEffect::none || unseen_ || has_unasked(); }
    bool checks_at_release() const;
    // SQL may have prepared statements on the server.
    bool may_have_sql_names() const {
        return pins_.has(protocol::Pin::prepared) || effect_ >= sql::SessionEffect::leaves;
    }
    sql::SettingNames setting_names_in(ByteView text) const;
    bool makes_new_names(const sql::SettingNames& names) const;
    bool may_have_made_names() const;
    void clear_hidden_names();
    void note_use_while_pinned();
    void forget_effect();
    void inspect();
    void ask();
    bool may_ask_again() const;
    void stay_unknown();
    bool keeps_others_waiting(TimePoint now) const;
    void end_unknown();
    void settle_first();
    void go_on_settled();
    bool settles_too_long(TimePoint now) const;
    void end_unsettled();
    std::size_t skip_long_answer(const wire::Frame& frame, ByteView rest);
    bool hear_inspection(wire::BackendTag tag, ByteView message, ByteView body, wire::Outbox& to_client);
    void finish_inspection(wire::Outbox& to_client);
    struct Watch;
    void adopt(const Watch& watch, wire::Outbox& to_client);
    bool begins_with_role() const;
    bool is_back(const Watch& watch, const protocol::Parameter& told) const;
    void set_pins(protocol::Pins pins);
    void expect_pin();
    void forget_pins();
    void leave_reset();
    bool leaves_for_good() const;
    bool keeps_server() const;
    void restore_settings(wire::Outbox& to_server);
    // defaults.cpp
    bool has_unasked() const { return watch_ != nullptr && !watch_->unasked.empty(); }
    void note_unasked(const wire::ParameterStatus& report, bool is_replay);
    void note_new_defaults(const std::vector<wire::Setting>& unasked, const protocol::Answer& answer);
    void follow_defaults();
    // cancel.cpp
    bool is_restored_for_a_message() const;
    void pass_on_cancel(CancelToken token);
    void pass_on_cancels();
    // session.cpp
    bool take_server();
    void begin_lease(wire::Outbox& to_server);
    pool::Server& part_from_server();
    void give_back_server();
    void leave_server(Phase before);
    void lose_sync();
    void seek_proof();
    bool may_take_another() const;
    void take_another_server();
    void enter(metrics::ClientState state);
    void stop_waiting();
    // startup.cpp
    void greet_if_known();
    void seek_server_to_apply();
    void apply_elsewhere();
    void apply_startup();
    std::size_t on_applying_bytes(ByteView bytes);
    void refuse_startup(ByteView body);
    void finish_applying();
    bool asks_for(ByteView name) const;
    void adopt_rulebook();
    void greet(const std::vector<wire::Setting>& greeting);

    // Exchange::Witness
    void on_parsed(const protocol::Owed& owed) override;
    void on_closed(const protocol::Owed& owed) override;
    void on_deallocated(const protocol::Owed& owed) override { statements_.on_deallocated(owed); }
    void on_answered(std::uint32_t call) override;
    void on_dropped(const protocol::Owed& owed, bool was_read) override;

    Context& context_;
    PeerPtr client_;
    pool::Pool* const pool_;
    metrics::RouteMetrics& metrics_;
    pool::Server* server_ = nullptr;  // lent to us
    Identity identity_;
    Bytes prelude_;  // the end of the authentication, until it is sent

    // What follows the client from server to server.
    protocol::ParameterSetRef wants_;
    protocol::ParameterSetRef startup_;  // wants_ as it was at the login: what RESET and DISCARD ALL mean
    protocol::ParameterSetRef asked_;    // what of that the client has asked for: no default of the server's changes it
    std::uint64_t defaults_seen_ = 0;    // see pool::LoginAnswers
    // What statements may have done to the session since the server was asked last, and what they may have left there.
    struct Watch {
        std::vector<std::string> custom_settings;
        bool hides_names = false;  // of others, which nobody can ask for
        sql::Resets resets;
        protocol::Answer answer;
        bool locks = false;           // see protocol::Question
        bool lifts_timeouts = false;  // likewise
        std::uint8_t refusals = 0;    // of the server, since the client's last statement
        std::string refusal;          // the last one's message; empty: it has answered
        TimePoint unknown_since = never;
        std::vector<wire::Setting> unasked;  // reported though nothing seen sets it, with the values of before
    };
    std::unique_ptr<Watch> watch_;
    protocol::Pins pins_;
    TimePoint pinned_since_{};
    sql::SessionEffect effect_ = sql::SessionEffect::none;
    PreparedStatements statements_;
    Dialect dialect_;
    protocol::UnsentBegin begin_;
    // Calls, and the limits that they run under; nullptr: nobody wants to know.
    struct Measured {
        explicit Measured(bool sees_all) : calls(sees_all) {}
        Calls calls;
        StatementLimits limits{calls};
    };
    std::unique_ptr<Measured> measured_;

    std::shared_ptr<const Rulebook> rulebook_;
    policy::Rules rules_;  // those of rulebook_ that concern this client
    config::ClientTimeouts timeouts_;

    Rest client_rest_, server_rest_;  // of the message that is coming from it
    // What the message in front is answered with, since no server could be had; or why this one could not be used.
    std::unique_ptr<wire::SqlError> refusal_;
    Front front_;
    std::vector<CancelToken> held_cancels_;  // until the server has restored the settings

    TimePoint started_at_;
    TimePoint active_at_;
    TimePoint busy_since_ = never;      // the first message of the transaction
    TimePoint asked_at_ = never;        // the oldest message that has not been answered
    TimePoint settling_since_ = never;  // the client is not heard before the server has answered something of ours
    Totals totals_;
    std::size_t looked_at_ = 0;  // bytes of its statements' texts, by the messages of this turn
    static constexpr std::uint8_t most_servers_tried = 3;
    std::uint8_t servers_tried_ = 0;  // for the message in front, or the login

    Phase phase_ = Phase::starting;
    metrics::ClientState state_ = metrics::ClientState::idle;
    Forgetting forgetting_ = Forgetting::nothing;
    bool waiting_ = false;                // in the pool's queue
    bool lease_begun_ = false;            // the server has this client's settings
    bool server_unread_ = false;          // of what has come from it last, something is still to be taken
    bool holding_ = false;                // see hold_until_settled
    bool skipping_here_ = false;          // an error of ours, with no server involved: all is dropped up to the Sync
    bool keeps_to_the_end_ = false;       // its server: something on it is not known well enough
    bool expects_pin_ = false;            // counted as pinned before the server has told of what does it
    bool unseen_ = false;                 // pool.check_at_release: a transaction may have done anything
    bool inspecting_ = false;             // the server is asked what the session has become
    bool awaits_replay_ = false;          // the client's message waits until the server has its settings
    bool parsed_unseen_ = false;          // something may have been, since may_be_set_unseen()
    bool rules_have_changed_ = false;     // since its first statement may have been prepared
    bool transaction_unsettled_ = false;  // something unanswered may begin or end a transaction
    bool changed_schema_ = false;         // in the transaction that is open
    bool begin_is_alone_ = false;         // nothing of the client's has been sent behind it yet
    bool owes_sync_ = false;              // a Query was skipped with BEGIN: a Sync of ours is to answer it
    bool draining_ = false;
    bool server_said_farewell_ = false;  // its FATAL has been passed on: there must not be a second one
    bool told_about_wait_ = false;
    bool out_of_step_ = false;         // the server answered what nobody had asked, or could not take the settings
    bool takes_another_ = false;       // the server keeps what another client has set
    bool refuse_transaction_ = false;  // statement mode: a transaction has been opened
};

}  // namespace pgsluice::session
