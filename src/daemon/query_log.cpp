#include "query_log.hpp"

#include <pgsluice/base/log.hpp>
#include <pgsluice/insight/query_text.hpp>
#include <pgsluice/sql/passwords.hpp>

#include <initializer_list>
#include <string>

namespace pgsluice::daemon {
namespace {

using log::Field;

double milliseconds(Microseconds time) {
    return static_cast<double>(time.count()) / 1000;
}

std::int64_t session_of(const session::Session& session) {
    return static_cast<std::int64_t>(number(session.identity().id));
}

// Empty where there are no facts.
class Fingerprint {
  public:
    explicit Fingerprint(const sql::Facts* facts)
        : text_(facts == nullptr ? 0 : facts->fingerprint), is_known_(facts != nullptr) {}
    std::string_view view() const { return is_known_ ? text_.view() : std::string_view(); }

  private:
    insight::FingerprintText text_;
    bool is_known_;
};

// What its client was told; empty where it has not failed, or that cannot be known.
std::string_view sqlstate_of(const session::Call& call) {
    if (call.is_cut_off()) return "54000";
    if (call.sqlstate[0] == '\0') return {};
    return {call.sqlstate.data(), call.sqlstate.size()};
}

void audit_call(const session::Session& session, const session::Call& call, std::string_view fingerprint,
                ByteView text) {
    const session::Identity& who = session.identity();
    const std::string address = who.address.to_string();
    log::audit(log::Level::info, "statement", "a statement was answered",
               {{"session", session_of(session)},
                {"route", session.pool().target().route},
                {"user", who.user},
                {"database", who.database},
                {"application", session.application_name()},
                {"address", address},
                {"wait_ms", milliseconds(call.wait)},
                {"server_ms", milliseconds(call.server_time)},
                {"rows", static_cast<std::int64_t>(call.rows)},
                {"failed", call.failed_for_client()},
                {"sqlstate", sqlstate_of(call)},
                {"fingerprint", fingerprint},
                {"trace_id", call.callee.trace_id()},
                {"sql", text}});
}

}  // namespace

ByteView text_to_log(const sql::Facts* facts, ByteView as_sent) {
    if (facts == nullptr) return insight::not_parsed;
    return as_sent.empty() ? ByteView(facts->normalized) : as_sent;
}

ByteView text_to_log(const sql::Facts* facts, ByteView text, const config::QueryLog& settings) {
    const bool may_show = settings.literals && facts != nullptr && !sql::may_hold_password(text, *facts);
    return text_to_log(facts, may_show ? text : ByteView());
}

void log_call(const session::Session& session, const session::Call& call, const config::QueryLog& settings,
              std::uint64_t random) {
    const bool is_slow = settings.slow_query.count() > 0 && call.wait + call.server_time >= settings.slow_query;
    const bool is_sampled = is_of_sample(settings.sample_one_in, random);
    const bool is_audited = settings.audit && log::is_audited();
    if (!is_slow && !is_sampled && !is_audited) return;
    const sql::Facts* facts = call.callee.facts.get();
    const Fingerprint fingerprint(facts);
    const ByteView text = text_to_log(facts, call.callee.text());
    if (is_audited) audit_call(session, call, fingerprint.view(), text);
    if (!is_slow && !is_sampled) return;
    const session::Identity& who = session.identity();
    const std::initializer_list<Field> fields{{"session", session_of(session)},
                                              {"route", session.pool().target().route},
                                              {"user", who.user},
                                              {"database", who.database},
                                              {"application", session.application_name()},
                                              {"wait_ms", milliseconds(call.wait)},
                                              {"server_ms", milliseconds(call.server_time)},
                                              {"rows", static_cast<std::int64_t>(call.rows)},
                                              {"bytes", static_cast<std::int64_t>(call.bytes)},
                                              {"failed", call.failed_for_client()},
                                              {"fingerprint", fingerprint.view()},
                                              {"trace_id", call.callee.trace_id()},
                                              {"sql", text}};
    if (is_slow)
        log::warning("slow_query", "a query took longer than routes[].log.slow_query", fields);
    else
        log::info("query", "a query of the sample", fields);
}

void log_verdict(const session::Session& session, const config::Policy& policy, const sql::Facts* facts, ByteView text,
                 bool is_logged) {
    is_logged = is_logged && log::enabled(log::Level::info);
    if (!is_logged && !log::is_audited()) return;
    const session::Identity& who = session.identity();
    const std::string address = who.address.to_string();
    const Fingerprint fingerprint(facts);
    const std::initializer_list<Field> fields{{"session", session_of(session)},
                                              {"policy", policy.name},
                                              {"action", name_of(policy.action)},
                                              {"mode", name_of(policy.mode)},
                                              {"route", session.pool().target().route},
                                              {"user", who.user},
                                              {"database", who.database},
                                              {"application", session.application_name()},
                                              {"address", address},
                                              {"fingerprint", fingerprint.view()},
                                              {"sql", text_to_log(facts, text, session.pool().target().query_log)}};
    constexpr std::string_view what = "a policy matched a statement";
    if (is_logged)
        log::write_audited(log::Level::info, "policy_verdict", what, fields);
    else
        log::audit(log::Level::info, "policy_verdict", what, fields);
}

void log_limit(const session::Session& session, session::LimitKind kind, const session::Callee& callee) {
    if (!log::enabled(log::Level::info) && !log::is_audited()) return;
    const session::Identity& who = session.identity();
    const std::string address = who.address.to_string();
    const Fingerprint fingerprint(callee.facts.get());
    log::write_audited(log::Level::info, "policy_limit", "a statement went beyond a limit of a policy",
                       {{"session", session_of(session)},
                        {"policy", callee.limit->rule},
                        {"limit", name_of(kind)},
                        {"route", session.pool().target().route},
                        {"user", who.user},
                        {"database", who.database},
                        {"application", session.application_name()},
                        {"address", address},
                        {"fingerprint", fingerprint.view()},
                        {"trace_id", callee.trace_id()},
                        {"sql", text_to_log(callee.facts.get(), callee.text())}});
}

}  // namespace pgsluice::daemon
