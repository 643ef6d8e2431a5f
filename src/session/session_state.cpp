// What a client has made of its session, in transaction and statement mode: settings follow it from server to server,
// and what no other server can be given pins it to the one that has it. Texts only tell when to ask; what there is the
// server says, at rest, between two transactions (protocol/inspection.hpp).
#include <pgsluice/base/lower_case.hpp>
#include <pgsluice/protocol/settings_replay.hpp>
#include <pgsluice/session/session.hpp>
#include <pgsluice/wire/backend_messages.hpp>

#include <algorithm>

namespace pgsluice::session {

using protocol::Parameter;
using protocol::Pin;
using protocol::Pins;
using protocol::Settled;
using sql::SessionEffect;
using sql::SettingNames;
using wire::BackendTag;

namespace {

constexpr ByteView role = "role";
constexpr std::size_t most_custom_settings = 256;
constexpr std::size_t function_oid_bytes = 4;  // in front of a FunctionCall's arguments
// How often in a row a server is asked that refuses to tell. What has run into a timeout may succeed by chance.
constexpr std::uint8_t most_tries = 2;
constexpr std::uint8_t most_tries_in_time = 20;

// Of the client's own statement_timeout and lock_timeout.
bool is_timeout(ByteView sqlstate) {
    return sqlstate == "57014" || sqlstate == "55P03";
}

// False: there is no room for all.
bool add_names(std::vector<std::string>& to, std::vector<std::string> names) {
    for (std::string& name : names) {
        if (std::find(to.begin(), to.end(), name) != to.end()) continue;
        if (to.size() >= most_custom_settings) return false;
        to.push_back(std::move(name));
    }
    return true;
}

}  // namespace

bool Session::preserves_state() const {
    return pool_->target().settings.follows_state();
}

bool Session::checks_at_release() const {
    return pool_->target().settings.check_at_release && preserves_state();
}

bool Session::rejects_pins() const {
    return pool_->target().settings.session_state == config::SessionState::reject;
}

// Of pool.size, rounded up, so that a pool of one connection can be pinned.
bool Session::may_pin() const {
    const config::Pool& settings = pool_->target().settings;
    const std::uint64_t most = (std::uint64_t{settings.size} * settings.max_pinned + 99) / 100;
    return pins_.any() || expects_pin_ || pool_->share().permits().pinned() < most;
}

// The error for a statement that would surely pin its client, where it may not.
std::optional<wire::SqlError> Session::refuse_pin(SessionEffect effect) const {
    if (!sql::pins(effect)) return std::nullopt;
    const pool::Target& target = pool_->target();
    if (rejects_pins()) {
        return wire::error(
            "0A000", "what this statement leaves in the session would keep a server connection",
            "Route \"" + target.route + "\": pool.session_state is reject.",
            "LISTEN, PREPARE, LOAD, temporary tables, session advisory locks, cursors WITH HOLD and functions such "
            "as dblink_connect need a route in session mode, or one with session_state: preserve.");
    }
    if (may_pin()) return std::nullopt;
    return wire::error("53300", "too many clients keep a server connection for their session state",
                       "Route \"" + target.route + "\": pool.max_pinned is " +
                           std::to_string(target.settings.max_pinned) + "% of " + std::to_string(target.settings.size) +
                           " connections.",
                       "LISTEN, PREPARE, temporary tables, session advisory locks and cursors WITH HOLD keep one. End "
                       "them with the transaction, raise pool.max_pinned, or use a route in session mode.");
}

// The text of a Query or Parse. What a prepared statement does counts when it is bound. Returns the error that it is
// refused with where too many clients are pinned already.
const wire::SqlError* Session::judge_effect(const wire::Frame& frame, ByteView rest, OwnError& refused) {
    if (!preserves_state()) return nullptr;
    const auto tag = static_cast<wire::FrontendTag>(frame.tag);
    if (frame.size > rest.size()) {
        note_effect(SessionEffect::anything, {}, {{}, {}, SettingNames::Hidden::for_good});
        return nullptr;
    }
    const bool is_query = tag == wire::FrontendTag::query;
    const bool counts = is_query || !statements_.translates();
    if (!counts && may_pin() && !rejects_pins()) return nullptr;
    const ByteView text = wire::statement_text(tag, wire::body_of(rest, frame));
    if (is_query) note_transaction_end(text);
    const SessionEffect effect = effect_of(text, sql::session_effect(text));
    if (effect == SessionEffect::none) return nullptr;
    if (auto error = refuse_pin(effect)) {
        refused = std::move(*error);
        return &*refused;
    }
    // Without its values nobody knows where a path leads.
    const bool is_unbound = !is_query && effect == SessionEffect::local;
    if (counts) note_effect(is_unbound ? SessionEffect::changes : effect, text);
    if (is_query && sql::may_deallocate(text)) forgetting_ = std::max(forgetting_, Forgetting::until_answered);
    return nullptr;
}

SettingNames Session::setting_names_in(ByteView text) const {
    SettingNames names = sql::setting_names(text);
    // The names may be those that EXECUTE hands over.
    if (may_have_sql_names() && sql::may_execute(text)) sql::note_mentioned_names(text, names);
    if (may_be_another_text(text) && sql::may_have_effect(text)) names.hidden = SettingNames::Hidden::for_good;
    return names;
}

// Of custom settings, where servers that have them are told apart.
bool Session::makes_new_names(const SettingNames& names) const {
    if (pool_->target().settings.custom_settings == config::CustomSettings::share || !preserves_state()) return false;
    return names.hidden != SettingNames::Hidden::none ||
           std::any_of(names.told.begin(), names.told.end(),
                       [this](const std::string& name) { return wants_->find(name) == nullptr; });
}

// `text`: what may hold names of settings. What its parameters are nobody knows.
void Session::note_effect(SessionEffect effect, ByteView text) {
    if (effect == SessionEffect::none) return;
    SettingNames names = setting_names_in(text);
    names.hidden = std::max(names.hidden, names.in_parameters);
    note_effect(effect, text, std::move(names));
}

void Session::note_effect(SessionEffect effect, ByteView text, SettingNames names) {
    if (effect >= SessionEffect::local) dialect_.step(text);
    const bool may_name = effect == SessionEffect::names || effect == SessionEffect::local;
    if (may_name && makes_new_names(names)) effect = SessionEffect::changes;
    if (effect == SessionEffect::none || (effect < SessionEffect::changes && !pins_.any())) return;
    effect_ = std::max(effect_, effect);
    if (sql::pins(effect)) expect_pin();
    if (watch_ == nullptr) watch_ = std::make_unique<Watch>();
    const bool is_told = add_names(watch_->custom_settings, std::move(names.told));
    const bool is_shared = pool_->target().settings.custom_settings == config::CustomSettings::share;
    const auto harmless = is_shared ? SettingNames::Hidden::until_end : SettingNames::Hidden::none;
    watch_->hides_names |= !is_told || names.hidden > harmless;
    watch_->resets.append(names.resets);
}

// A portal may run, or not, and more than once: so its text is no step from one known environment to the next.
void Session::note_effect_of_bound(ByteView text, SessionEffect judged, ByteView values, bool is_whole) {
    SessionEffect effect = effect_of(text, judged);
    if (effect == SessionEffect::none) return;
    SettingNames names = setting_names_in(text);
    sql::note_names_in_values(values, names);
    const bool may_lead_to_temporary =
        effect == SessionEffect::local && (!is_whole || sql::speaks_of_temporary_schema(values));
    if (may_lead_to_temporary) effect = SessionEffect::changes;
    note_effect(effect, {}, std::move(names));
}

// It may be set_config itself.
void Session::note_function_call(ByteView body, bool is_whole) {
    SettingNames names;
    names.in_parameters = SettingNames::Hidden::for_good;
    // What is not here yet may name a setting as well.
    if (!is_whole) names.hidden = SettingNames::Hidden::for_good;
    sql::note_names_in_values(body.substr(std::min(body.size(), function_oid_bytes)), names);
    note_effect(SessionEffect::anything, {}, std::move(names));
}

// What it does may end what pins it, though the text does not say so.
void Session::note_use_while_pinned() {
    if (pins_.has(Pin::unknown)) note_effect(SessionEffect::anything, {});
    unseen_ |= checks_at_release();
}

// A message that is held has not been sent: what it does is noted again when it comes again.
void Session::forget_effect() {
    effect_ = SessionEffect::none;
    unseen_ = false;
    front_.forget_effect();
}

void Session::inspect() {
    if (watch_ == nullptr) watch_ = std::make_unique<Watch>();
    watch_->refusals = 0;
    watch_->lifts_timeouts = false;
    watch_->locks = effect_ >= SessionEffect::anything || unseen_ || pins_.any();
    // What it has run may have prepared another text by a name of ours.
    if (effect_ >= SessionEffect::anything) server_->reserved() = {.doubtful = true};
    if (effect_ == SessionEffect::loads) {
        Pins pins = pins_;
        pins.add(Pin::library);
        set_pins(pins);
    }
    forget_effect();
    inspecting_ = true;
    settle_first();
    ask();
}

void Session::ask() {
    watch_->answer = {};
    watch_->refusal.clear();
    protocol::Question question;
    question.custom_settings = watch_->custom_settings;
    question.locks = watch_->locks;
    question.lifts_timeouts = watch_->lifts_timeouts;
    for (const Parameter& wanted : wants_->all()) {
        // By these bytes the server would know another one. It stays with its client until its encoding is back.
        if (!protocol::is_ascii(wanted.name) && wanted.encoding != wants_->encoding()) watch_->answer.fail();
        const bool is_asked =
            !protocol::is_custom(wanted.name) || add_names(question.custom_settings, {lower_case(wanted.name)});
        watch_->hides_names |= !is_asked;
    }
    Bytes asked;
    append_inspection(asked, server_->exchange(), server_->reserved(), question);
    metrics_.bytes[metrics::Direction::server_out].add(asked.size());
    server_->link().write(asked);
}

// A setting too long to be carried: the client stays where it is.
std::size_t Session::skip_long_answer(const wire::Frame& frame, ByteView rest) {
    out_of_step_ = frame.tag != static_cast<char>(BackendTag::data_row) ||
                   server_->exchange().settle(BackendTag::data_row, {}, *this) != Settled::inspected;
    if (out_of_step_) return 0;
    watch_->answer.fail();
    const std::size_t part = std::min(frame.size, rest.size());
    server_rest_.expect(frame.size - part, Rest::Goes::nowhere);
    return part;
}

// One whole message of the answer. False: nothing of this server can be trusted any more.
bool Session::hear_inspection(BackendTag tag, ByteView message, ByteView body, wire::Outbox& to_client) {
    if (tag == BackendTag::error_response) {
        wire::ErrorFields fields;
        const bool is_readable = wire::read_error(body, fields);
        if (!is_readable || fields.severity == "FATAL" || fields.severity == "PANIC") {
            return relay_error(message, body, to_client);
        }
        // Whether our statement is there nobody knows; somebody may have taken it away behind our back.
        server_->reserved().inspect = false;
        watch_->answer.fail();
        watch_->refusal = fields.message;
        ++watch_->refusals;
        watch_->lifts_timeouts |= is_timeout(fields.sqlstate);
    }
    const Settled settled = server_->exchange().settle(tag, body, *this);
    out_of_step_ = settled != Settled::inspected || (tag == BackendTag::data_row && !watch_->answer.add_row(body));
    if (out_of_step_) return false;
    if (tag == BackendTag::ready_for_query) finish_inspection(to_client);
    return true;
}

// At once: the client may be idle for long, and its server is wanted by others.
bool Session::may_ask_again() const {
    if (watch_->refusal.empty()) return false;
    return watch_->refusals < (watch_->lifts_timeouts ? most_tries_in_time : most_tries);
}

// Asked again behind its next statement; until then the server is its own.
void Session::stay_unknown() {
    if (watch_->refusal.empty())
        watch_->unknown_since = never;
    else if (watch_->unknown_since == never)
        watch_->unknown_since = context_.host.now();
    watch_->unasked.clear();
    Pins pins = pins_;
    pins.add(Pin::unknown);
    set_pins(pins);
}

// It has had its answers, and what its server refuses to tell it may go on refusing without end. Whoever began to wait
// behind it is served before its own time is over.
bool Session::keeps_others_waiting(TimePoint now) const {
    if (watch_ == nullptr || watch_->unknown_since == never || !pool_->share().anybody_waits()) return false;
    const Milliseconds limit = pool_->target().settings.query_wait_timeout;
    return limit.count() != 0 && now - watch_->unknown_since >= limit / 2 && (inspecting_ || is_at_rest());
}

void Session::end_unknown() {
    // Empty while it is asked once more.
    const std::string says = watch_->refusal.empty() ? "" : " The server says: " + watch_->refusal;
    const auto error = wire::fatal("08006", "the server does not tell what the session has become",
                                   "Others wait for the server connection that it keeps." + says);
    end(metrics::Disconnect::failed, &error);
}

void Session::finish_inspection(wire::Outbox& to_client) {
    if (may_ask_again()) return ask();
    inspecting_ = false;
    go_on_settled();
    if (watch_->answer.failed()) return stay_unknown();
    Pins pins = watch_->answer.pins();
    if (pins_.has(Pin::library)) pins.add(Pin::library);
    const std::unique_ptr<Watch> watch = std::move(watch_);
    if (watch->hides_names) clear_hidden_names();
    set_pins(pins);
    if (pins_.has(Pin::prepared)) {
        // What is prepared may set them when it runs, by names that the EXECUTE does not tell.
        watch_ = std::make_unique<Watch>();
        watch_->custom_settings = std::move(watch->custom_settings);
    }
    if (watch->answer.may_begin_with_role() || begins_with_role()) watch->answer.tell_no_role();
    note_new_defaults(watch->unasked, watch->answer);
    adopt(*watch, to_client);
    adopt_dialect();
    if (!pins_.any() || server_->has() == wants_) return;
    // It stays here, and something that it has reset is to be what it was at its login.
    wire::Outbox to_server(context_.to_server);
    restore_settings(to_server);
    if (!to_server.empty()) server_->link().write(to_server.view());
}

// Whether the server may have custom settings, or names of some, that are not in has(), where they must not stay.
bool Session::may_have_made_names() const {
    return watch_ != nullptr && (watch_->hides_names || !watch_->custom_settings.empty()) &&
           pool_->target().settings.custom_settings != config::CustomSettings::share;
}

// Their values go with DISCARD ALL, and their names with the server.
void Session::clear_hidden_names() {
    server_->need_reset();
    if (pool_->target().settings.custom_settings != config::CustomSettings::share)
        server_->doom(metrics::ServerClose::custom_settings);
}

// By the client's startup packet, connect_query or the route.
bool Session::begins_with_role() const {
    const auto& parameters = pool_->target().parameters;
    return startup_->find(role) != nullptr || std::any_of(parameters.begin(), parameters.end(), [](const auto& each) {
               return protocol::same_name(each.first, role);
           });
}

// Whether a RESET has made the value, and not the client. One that has been rolled back leaves what there was before.
bool Session::is_back(const Watch& watch, const Parameter& told) const {
    if (!watch.resets.has(lower_case(told.name))) return false;
    const Parameter* before = wants_->find(told.name);
    const bool is_unset = told.value.empty() || (told.value == "none" && protocol::same_name(told.name, role));
    return is_unset || before == nullptr || !protocol::same_value(*before, told);
}

// What the server has is what it reports and what it answers. The client wants the same, and what it has set no longer
// as it was at its login.
void Session::adopt(const Watch& watch, wire::Outbox& to_client) {
    const protocol::Answer& answer = watch.answer;
    const auto is_clients = [&](ByteView name) {
        const Parameter* told = answer.find(name);
        return told != nullptr && !is_back(watch, *told);
    };
    std::vector<Parameter> reported = server_->has()->reported();
    for (Parameter& each : reported) each.overrides = false;
    protocol::ParameterList has(std::move(reported));
    for (const Parameter& setting : answer.settings()) {
        if (setting.name == "session_authorization" && setting.value == pool_->target().user) continue;
        Parameter* known = has.find(setting.name);
        // A report is in the encoding of then.
        if (known != nullptr && protocol::is_ascii(setting.value)) continue;
        if (known == nullptr) known = &has.add(setting);
        known->value = setting.value;
        known->encoding = server_->has()->encoding();
    }
    for (const Parameter& at_login : startup_->all()) {
        Parameter* present = has.find(at_login.name);
        if (present == nullptr || !is_clients(at_login.name)) continue;
        present->overrides = !protocol::same_value(*present, at_login);
    }
    protocol::ParameterList wants = has;
    for (const Parameter& at_login : startup_->all()) {
        if (is_clients(at_login.name)) continue;
        Parameter* wanted = wants.find(at_login.name);
        if (wanted == nullptr) {
            wants.add(at_login);
        } else if (!protocol::same_value(*wanted, at_login)) {
            // The server has told its own default.
            wanted->value = at_login.value;
            wanted->encoding = at_login.encoding;
            if (wanted->reported) wire::write_parameter_status(to_client.join(), wanted->name, wanted->value);
        }
    }
    server_->set_has(context_.parameters.intern(std::move(has).take()));
    const auto before = std::exchange(wants_, context_.parameters.intern(std::move(wants).take()));
    if (before != wants_) context_.host.refresh(*this, rulebook_);
}

static_assert(metrics::PinReason{protocol::pin_count - 1} == metrics::PinReason::unknown &&
                  static_cast<int>(Pin::unknown) == static_cast<int>(metrics::PinReason::unknown),
              "metrics::PinReason lists protocol::Pin");

// A place of pool.max_pinned from the statement on: whoever pins next must not find it free until the server has been
// asked.
void Session::expect_pin() {
    if (pins_.any() || std::exchange(expects_pin_, true)) return;
    pool_->share().permits().pin();
}

void Session::set_pins(Pins pins) {
    const bool was_counted = pins_.any() || std::exchange(expects_pin_, false);
    if (pins.any() && !was_counted) pool_->share().permits().pin();
    if (!pins.any() && was_counted) pool_->share().permits().unpin();
    if (pins.any() && !pins_.any()) pinned_since_ = context_.host.now();
    for (std::size_t i = 0; i < protocol::pin_count; ++i) {
        const auto pin = static_cast<Pin>(i);
        const auto reason = static_cast<metrics::PinReason>(i);
        const bool is = pins.has(pin), was = pins_.has(pin);
        if (is && !was) {
            metrics_.pinned[reason].add();
            metrics_.pins[reason].add();
        } else if (was && !is) {
            metrics_.pinned[reason].sub();
        }
    }
    pins_ = pins;
}

// What has changed is asked for first.
bool Session::keeps_server() const {
    return pins_.any() && !is_changed() && preserves_state();
}

// What has been done there is undone, or goes with the server where nothing undoes it.
void Session::leave_reset() {
    server_->need_reset();
    if (leaves_for_good()) server_->doom(metrics::ServerClose::unclean);
}

bool Session::leaves_for_good() const {
    return pins_.has(Pin::library) || effect_ == SessionEffect::loads;
}

// A reload has turned session_state to ignore, and nobody asks any more whether they are over.
void Session::forget_pins() {
    watch_.reset();
    leave_reset();
    set_pins({});
}

// The server's settings become this client's, ahead of whatever the client is about to send.
void Session::restore_settings(wire::Outbox& to_server) {
    if (pool_->target().in_session_mode() || server_->has() == wants_) return;
    const protocol::SettingsDifference difference(*server_->has(), *wants_);
    append_replay(to_server.join(), server_->exchange(), server_->reserved(), difference);
    const bool must_wait = must_be_awaited(difference, server_->accepted());
    if (must_wait) server_->accepted().propose(difference);
    server_->set_has(wants_);
    if (!must_wait) return;
    awaits_replay_ = true;
    settle_first();
}

// The client is not heard before the server has answered what pgsluice asks it between two of the client's messages.
// Nothing of the client's runs meanwhile, so no timeout of a query counts: it waits for a server that is ready for it.
void Session::settle_first() {
    client_->pause(Pause::housekeeping);
    // The answer is not for the client, which need not have read its own.
    server_->link().resume(Pause::slow_reader);
    settling_since_ = context_.host.now();
}

void Session::go_on_settled() {
    client_->resume(Pause::housekeeping);
    settling_since_ = never;
}

bool Session::settles_too_long(TimePoint now) const {
    const Milliseconds limit = pool_->target().settings.query_wait_timeout;
    return limit.count() != 0 && settling_since_ != never && now - settling_since_ >= limit;
}

void Session::end_unsettled() {
    const auto error = wire::fatal("08006", "the server does not answer",
                                   "The server " + server_->facts().label +
                                       " was asked about the session, or to restore it, and pool.query_wait_timeout "
                                       "has passed.");
    end(metrics::Disconnect::server_lost, &error);
}

}  // namespace pgsluice::session
